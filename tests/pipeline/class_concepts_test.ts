import assert from "node:assert/strict";
import { uniqueNames } from "../../lib/pipeline/classes.ts";
import { groupsOf, preferredScenes } from "../../lib/pipeline/preferred_scenes.ts";
import { confusedPhrases } from "../../lib/pipeline/stages/class_concepts.ts";
import { UserError } from "../../lib/files/mod.ts";
import { tensor } from "../../lib/tensor/mod.ts";

const matrix = (rows: readonly (readonly number[])[]) =>
  tensor([rows.length, rows[0]!.length], Float32Array.from(rows.flat()));

/** The phrases of three classes and what is said of them. */
function phrases(counts: number[][], probabilities: number[][]) {
  const remarks: string[] = [];
  const confusions = { counts: matrix(counts), probabilities: matrix(probabilities) };
  const found = confusedPhrases(["ant", "bee", "cow"], confusions, (said) => remarks.push(said));
  return { found, remarks };
}

const probabilities = [[0.9, 0.06, 0.04], [0.1, 0.6, 0.3], [0.2, 0.1, 0.7]];

Deno.test("confusedPhrases() names the class that each is most often mistaken for, not the likeliest", () => {
  const { found, remarks } = phrases([[7, 1, 2], [3, 6, 1], [0, 4, 6]], probabilities);
  assert.deepEqual(found, ["ant, not cow", "bee, not ant", "cow, not bee"]);
  assert.deepEqual(remarks, []);
});

Deno.test("confusedPhrases() takes the likeliest other class of one that is never mistaken, and says so", () => {
  const { found, remarks } = phrases([[9, 0, 0], [1, 7, 2], [0, 4, 6]], probabilities);
  assert.deepEqual(found, ["ant, not bee", "bee, not cow", "cow, not bee"]);
  assert.equal(remarks.length, 1);
  assert.match(remarks[0]!, /1 of 3 classes are never mistaken.*: ant\.$/);
});

Deno.test("confusedPhrases() of a model without a mistake takes the likeliest of all, and says that", () => {
  const { found, remarks } = phrases([[9, 0, 0], [0, 9, 0], [0, 0, 9]], probabilities);
  assert.deepEqual(found, ["ant, not bee", "bee, not cow", "cow, not ant"]);
  assert.deepEqual(remarks.map((remark) => /mistakes no training image at all/.test(remark)), [
    true,
  ]);
});

Deno.test("confusedPhrases() takes the first of classes that are mistaken equally often", () => {
  assert.equal(phrases([[8, 1, 1], [2, 6, 2], [3, 3, 4]], probabilities).found[2], "cow, not ant");
});

Deno.test("confusedPhrases() refuses a single class", () => {
  const one = { counts: matrix([[3]]), probabilities: matrix([[1]]) };
  assert.throws(() => confusedPhrases(["ant"], one, () => {}), UserError);
});

Deno.test("uniqueNames() takes first synonyms, with the id where two classes share one", () => {
  const classes = [
    { id: "n1", name: "crane" },
    { id: "n2", name: "crane, hoist" },
    { id: "n3", name: "tench, Tinca tinca" },
  ];
  assert.deepEqual(uniqueNames(classes), ["crane (n1)", "crane (n2)", "tench"]);
});

const two = { classes: [{ id: "a", name: "a" }, { id: "b", name: "b" }] };

Deno.test("preferredScenes() finds the most frequent scene of each class, of equal ones the first by name", () => {
  const labels = { ...two, labels: [0, 1, 0, 1, 0, 1, 1] };
  const scenes = ["sea", "wood", "wood", "hill", "sea", "hill", "wood"];
  assert.deepEqual(preferredScenes(labels, scenes), ["sea", "hill"]);
});

Deno.test("groupsOf() numbers the groups that occur: class by whether the scene is preferred", () => {
  const labels = { ...two, labels: [0, 0, 0, 1, 1] };
  const scenes = ["sea", "wood", "sea", "hill", "hill"];
  assert.deepEqual([...groupsOf(labels, scenes)], [0, 1, 0, 2, 2]);
});
