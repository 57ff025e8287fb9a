import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import {
  intervene,
  type InterventionImage,
  interventionImages,
  renderImage,
  worldConcepts,
  writeInterventions,
} from "../../lib/world/mod.ts";
import { hashFiles } from "./_world_files.ts";

const config = { seed: 7, imageSize: 48 };
const images = interventionImages(config, { contexts: 3 });
const contexts = [...Map.groupBy(images, ({ category, context }) => `${category} ${context}`)];
const render = ({ factors, random }: InterventionImage) =>
  renderImage(factors, { random, size: config.imageSize });

/** Where a mask of `size` x `size` pixels shows anything, or is next to such a pixel. */
function reached(mask: Uint8Array, size: number): boolean[] {
  return Array.from(mask, (_, pixel) => {
    const [column, row] = [pixel % size, Math.floor(pixel / size)];
    return [-1, 0, 1].some((dy) =>
      [-1, 0, 1].some((dx) => {
        const [x, y] = [column + dx, row + dy];
        return x >= 0 && x < size && y >= 0 && y < size && mask[y * size + x]! > 0;
      })
    );
  });
}

Deno.test("interventionImages() show every value of a factor in each context of it", () => {
  assert.equal(images.length, 3 * 49);
  for (const { name, category } of worldConcepts()) {
    const own = images.filter(({ concept }) => concept === name);
    assert.deepEqual(own.map((image) => image.context), [0, 1, 2]);
    assert.ok(own.every((image) => image.category === category));
  }
});

Deno.test("interventionImages() differ in one factor within a context", () => {
  for (const [name, group] of contexts) {
    const key = group[0]!.category === "part" ? "parts" : group[0]!.category;
    const values = group.map(({ factors }) => `${factors[key]}`);
    assert.equal(new Set(values).size, group.length, name);
    const others = group.map(({ factors }) => ({ ...factors, [key]: null }));
    for (const other of others) assert.deepEqual(other, others[0], name);
  }
});

Deno.test("renderImage() leaves pose, light and all pixels that a factor does not touch", () => {
  let untouched = 0;
  for (const [name, group] of contexts) {
    const [first, ...rest] = group.map(render);
    const { category, factors } = group[0]!;
    for (const other of rest) {
      assert.deepEqual([other.pose, other.light], [first!.pose, first!.light], name);
      // Glass shows the scene and the parts that are behind it.
      const glass = factors.material === "glass";
      const masks = [first!, other].flatMap(({ object, parts }) =>
        category === "part" ? [...parts, ...(glass ? [object] : [])] : [object]
      ).map((mask) => reached(mask, config.imageSize));
      for (let pixel = 0; pixel < first!.object.length; pixel++) {
        const touched = category === "scene"
          ? glass || first!.object[pixel] !== 255
          : masks.some((mask) => mask[pixel]);
        if (touched) continue;
        untouched++;
        for (let c = 0; c < 3; c++) {
          assert.equal(
            other.data[3 * pixel + c],
            first!.data[3 * pixel + c],
            `${name} at ${pixel}`,
          );
        }
      }
      assert.notDeepEqual(other.data, first!.data, name);
    }
  }
  assert.ok(untouched > 100_000, `${untouched} pixels were compared`);
});

Deno.test("intervene() with the value that is there gives the same image", () => {
  for (const image of images.filter(({ context }) => context === 0)) {
    const { category, concept, factors, random } = image;
    const { value } = worldConcepts().find(({ name }) => name === concept)!;
    const again = intervene(factors, { category, value });
    assert.deepEqual(renderImage(again, { random, size: 48 }).data, render(image).data);
  }
});

Deno.test("writeInterventions() writes the rendered pixels, and of each context one column that differs", async () => {
  const root = await Deno.makeTempDir();
  try {
    await writeInterventions(root, config, { contexts: 2 });
    const two = images.filter(({ context }) => context < 2);
    const { data } = await sharp(join(root, two[5]!.path)).raw().toBuffer({
      resolveWithObject: true,
    });
    assert.deepEqual(new Uint8Array(data), render(two[5]!).data);
    const table = async (file: string) =>
      (await Deno.readTextFile(join(root, file))).trimEnd().split("\n").map((l) => l.split(","));
    const [header, ...factors] = await table("factors.csv");
    const [, ...rows] = await table("interventions.csv");
    assert.deepEqual(rows.map(([image]) => image), factors.map(([image]) => image));
    const groups = Map.groupBy(rows.keys(), (i) => rows[i]!.slice(1, 3).join(" "));
    assert.equal(groups.size, 12);
    for (const [name, group] of groups) {
      const differing = header!.filter((_, column) =>
        new Set(group.map((i) => factors[i]![column])).size > 1
      );
      assert.deepEqual(differing, ["image", name.split(" ")[0]]);
    }
    // Few contexts are the first of many, and nothing depends on when they are written.
    const again = join(root, "again");
    await writeInterventions(again, config, { contexts: 1 });
    const hashes = await hashFiles(root);
    for (const [path, hash] of await hashFiles(again)) {
      if (path.endsWith(".png")) assert.equal(hashes.get(path), hash, path);
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
