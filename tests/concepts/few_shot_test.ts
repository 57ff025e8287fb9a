import assert from "node:assert/strict";
import { UserError } from "../../lib/files/mod.ts";
import { drawConceptSet, testExamples } from "../../lib/concepts/mod.ts";

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

const selected = [concept(1, range(10, 40)), concept(2, range(40, 60)), concept(3, range(70, 100))];
const labels = labelsOf(selected, 100);
const shots = { positives: 5, negatives: 4 };

Deno.test("drawConceptSet() numbers rows by the used images alone", () => {
  const { images, concepts } = drawConceptSet(selected, labels, { shots, seeds: [0] });
  assert.deepEqual(images, [...range(10, 60), ...range(70, 100)]);
  assert.deepEqual(concepts[1]!.positives, range(30, 50));
  assert.deepEqual(concepts[2]!.positives, range(50, 80));
});

Deno.test("drawConceptSet() draws as many negatives as positives, none of the concept", () => {
  for (
    const { positives, negatives } of drawConceptSet(selected, labels, { shots, seeds: [0] })
      .concepts
  ) {
    assert.equal(new Set(negatives).size, positives.length);
    assert.deepEqual(negatives.filter((row) => positives.includes(row)), []);
  }
});

Deno.test("drawConceptSet() gives a seed the same shots whichever other seeds there are", () => {
  const both = drawConceptSet(selected, labels, { shots, seeds: [3, 7] });
  const one = drawConceptSet(selected, labels, { shots, seeds: [7] });
  assert.deepEqual(both.concepts[0]!.shots[1], one.concepts[0]!.shots[0]);
  assert.notDeepEqual(both.concepts[0]!.shots[0], both.concepts[0]!.shots[1]);
});

Deno.test("testExamples() leaves out exactly the shots", () => {
  const [first] = drawConceptSet(selected, labels, { shots, seeds: [0] }).concepts;
  const test = testExamples(first!, first!.shots[0]!);
  assert.equal(test.positives.length, 25);
  assert.equal(test.negatives.length, 26);
  assert.deepEqual(
    [...test.positives, ...first!.shots[0]!.positives].sort((a, b) => a - b),
    first!.positives,
  );
});

Deno.test("drawConceptSet() refuses a concept whose shots leave nothing to test", () => {
  assert.throws(
    () => drawConceptSet(selected, labels, { shots: { positives: 20, negatives: 5 }, seeds: [0] }),
    (error: Error) => error instanceof UserError && /"c2" has 20 images/.test(error.message),
  );
});
