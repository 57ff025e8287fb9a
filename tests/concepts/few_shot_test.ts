import assert from "node:assert/strict";
import { UserError } from "../../lib/files/mod.ts";
import { conceptImageSet, drawShots, testExamples } from "../../lib/concepts/mod.ts";

const concept = (number: number, images: readonly number[]) => ({
  concept: { number, name: `c${number}`, phrase: `c ${number}`, category: "object" },
  images: Int32Array.from(images),
});
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const labelsOf = (concepts: readonly ReturnType<typeof concept>[], images: number) =>
  range(0, images).map((image) =>
    concepts.filter((c) => c.images.includes(image)).map(({ concept: { number, category } }) => ({
      number,
      category,
      fraction: 1,
    }))
  );

const selected = {
  concepts: [concept(1, range(10, 40)), concept(2, range(40, 60)), concept(3, range(70, 100))],
  tooFew: [{ name: "c4", images: 2 }],
  minimumImages: 20,
};
const labels = labelsOf(selected.concepts, 100);
const { images, concepts, tooFew } = conceptImageSet(selected, labels);
const [first, second] = concepts;

Deno.test("conceptImageSet() numbers rows by the used images alone", () => {
  assert.deepEqual(images, [...range(10, 60), ...range(70, 100)]);
  assert.deepEqual(concepts[1]!.positives, range(30, 50));
  assert.deepEqual(concepts[2]!.positives, range(50, 80));
  assert.deepEqual(tooFew, selected.tooFew);
});

Deno.test("conceptImageSet() draws as many negatives as positives, none of the concept", () => {
  for (const { positives, negatives } of concepts) {
    assert.equal(new Set(negatives).size, positives.length);
    assert.deepEqual(negatives.filter((row) => positives.includes(row)), []);
  }
});

Deno.test("conceptImageSet() refuses a dataset without a concept that has enough images", () => {
  assert.throws(
    () => conceptImageSet({ ...selected, concepts: [] }, labels),
    (error: Error) =>
      error instanceof UserError &&
      /No concept has 20 images.*"c4" has most, 2/.test(error.message),
  );
});

Deno.test("drawShots() draws as many positives as negatives, repeatably, others for another seed", () => {
  const shots = drawShots(first!, { shots: 5, seed: 3 });
  assert.equal(new Set(shots.positives).size, 5);
  assert.equal(new Set(shots.negatives).size, 5);
  assert.ok(shots.positives.every((row) => first!.positives.includes(row)));
  assert.ok(shots.negatives.every((row) => first!.negatives.includes(row)));
  assert.deepEqual(drawShots(first!, { shots: 5, seed: 3 }), shots);
  assert.notDeepEqual(drawShots(first!, { shots: 5, seed: 7 }), shots);
  assert.notDeepEqual(drawShots({ ...first!, name: "other" }, { shots: 5, seed: 3 }), shots);
});

Deno.test("drawShots() includes the fewer shots of a seed in its more", () => {
  const [few, more] = [2, 9].map((shots) => drawShots(first!, { shots, seed: 0 }));
  for (const side of ["positives", "negatives"] as const) {
    assert.ok(few![side].every((row) => more![side].includes(row)));
  }
});

Deno.test("testExamples() leaves out exactly the shots", () => {
  const shots = drawShots(first!, { shots: 5, seed: 0 });
  const test = testExamples(first!, shots);
  assert.equal(test.positives.length, 25);
  assert.equal(test.negatives.length, 25);
  assert.deepEqual(
    [...test.positives, ...shots.positives].sort((a, b) => a - b),
    first!.positives,
  );
});

Deno.test("drawShots() refuses a concept whose shots leave nothing to test", () => {
  assert.equal(drawShots(second!, { shots: 19, seed: 0 }).positives.length, 19);
  assert.throws(
    () => drawShots(second!, { shots: 20, seed: 0 }),
    (error: Error) => error instanceof UserError && /"c2" has 20 images/.test(error.message),
  );
});
