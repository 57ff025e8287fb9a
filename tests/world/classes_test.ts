import assert from "node:assert/strict";
import {
  cifarClasses,
  cubSpecies,
  type Factors,
  worldClasses,
  worldClassWords,
  worldConcepts,
  worldPairs,
} from "../../lib/world/mod.ts";

const surface = ({ texture, material }: Factors) => texture ?? material;

Deno.test("worldClasses() differ pairwise in two of shape, colour and surface", () => {
  const classes = worldClasses();
  assert.equal(classes.length, 40);
  for (const [i, { factors: a }] of classes.entries()) {
    for (const { factors: b } of classes.slice(i + 1)) {
      const differences = [
        a.object !== b.object,
        a.color !== b.color,
        surface(a) !== surface(b),
      ].filter(Boolean).length;
      assert.ok(differences >= 2, `${JSON.stringify(a)} against ${JSON.stringify(b)}`);
    }
  }
});

Deno.test("worldClasses() have a texture or a material, never both", () => {
  for (const { factors } of worldClasses()) {
    assert.equal([factors.texture, factors.material].filter((value) => value !== null).length, 1);
  }
});

Deno.test("worldClasses() have sorted ids spelled like WordNet's and unique names", () => {
  const classes = worldClasses();
  const ids = classes.map(({ id }) => id);
  assert.deepEqual(ids, [...new Set(ids)].sort());
  assert.ok(ids.every((id) => /^n\d{8}$/.test(id)));
  assert.equal(new Set(classes.flatMap(({ name, synonym }) => [name, synonym])).size, 80);
  assert.equal(classes[1]!.name, "green glass ball with horns");
});

Deno.test("worldPairs() join every concept but the scenes with two classes or more", () => {
  const pairs = worldPairs(worldClasses());
  for (const { name, category } of worldConcepts()) {
    const classes = pairs.filter(({ concept }) => concept === name);
    if (category === "scene") assert.equal(classes.length, 0, name);
    else assert.ok(classes.length >= 2, name);
  }
  // 40 shapes, 40 colours, 40 surfaces and the 20 parts of every other class.
  assert.equal(pairs.length, 140);
  assert.ok(pairs.some((pair) => pair.concept === "horn" && pair.class === "n90000002"));
});

Deno.test("worldClasses() spread their preferred scenes evenly", () => {
  const counts = Map.groupBy(worldClasses(), ({ preferredScene }) => preferredScene);
  assert.deepEqual([...counts.values()].map((classes) => classes.length), Array(8).fill(5));
});

Deno.test("worldConcepts() number 49 concepts in six categories, named as in Broden", () => {
  const concepts = worldConcepts();
  assert.deepEqual(concepts.map(({ number }) => number), concepts.map((_, index) => index + 1));
  assert.equal(concepts.length, 49);
  assert.equal(new Set(concepts.map(({ name }) => name)).size, 49);
  assert.deepEqual(
    [...Map.groupBy(concepts, ({ category }) => category)].map(([name, of]) => [name, of.length]),
    [["color", 9], ["object", 10], ["part", 6], ["material", 6], ["scene", 8], ["texture", 10]],
  );
  assert.equal(concepts[0]!.name, "red-c");
  assert.equal(concepts.find(({ value }) => value === "night sky")!.name, "night sky-s");
});

Deno.test("cubSpecies() and cifarClasses() are different things each", () => {
  for (const [classes, count] of [[cubSpecies(), 20], [cifarClasses(), 100]] as const) {
    assert.equal(new Set(classes.map(({ id }) => id)).size, count);
    assert.equal(new Set(classes.map(({ factors }) => JSON.stringify(factors))).size, count);
  }
  assert.equal(new Set(cifarClasses().map(({ coarse }) => coarse)).size, 20);
});

Deno.test("worldClassWords() describe classes by their factors: of ImageNet they are its names", () => {
  const words = worldClassWords("imagenet")!;
  assert.deepEqual([...words.values()], worldClasses().map(({ name }) => name));
  const cub = [...worldClassWords("cub200")!.values()];
  assert.equal(cub[0], "red striped ball with wings and eyes");
  assert.equal(new Set(cub).size, 20);
  const cifar = worldClassWords("cifar100")!;
  assert.equal(cifar.get("blue_striped_ball") ?? cifar.size, 100);
  assert.ok([...cifar.values()].every((words) => !words.includes("_")));
  assert.equal(worldClassWords("broden"), undefined);
});
