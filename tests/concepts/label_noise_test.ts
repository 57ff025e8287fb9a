import assert from "node:assert/strict";
import { mislabel, otherMeanings } from "../../lib/concepts/mod.ts";
import { createRandom } from "../../lib/tensor/mod.ts";

const random = createRandom("label noise test");
const clean = {
  positives: [3, 4, 8, 9, 12, 15, 20, 21, 22, 30],
  negatives: [1, 2, 5, 6, 7, 10, 11, 13, 14, 40],
};
const wrongOf = (share: number) => {
  const { positives, negatives } = mislabel(clean, { share, random });
  assert.deepEqual([positives.length, negatives.length], [10, 10]);
  return [
    ...positives.filter((row) => clean.negatives.includes(row)),
    ...negatives.filter((row) => clean.positives.includes(row)),
  ];
};

Deno.test("mislabel() gives the share of images that is asked for the wrong label, on both sides", () => {
  for (const share of [0, 0.1, 0.2, 0.4, 0.5]) {
    assert.equal(wrongOf(share).length / 20, share);
  }
});

Deno.test("mislabel() leaves the images themselves and their order as they were", () => {
  const { positives, negatives } = mislabel(clean, { share: 0.3, random });
  assert.deepEqual(
    [...positives, ...negatives].sort((a, b) => a - b),
    [...clean.positives, ...clean.negatives].sort((a, b) => a - b),
  );
  assert.deepEqual(positives, positives.toSorted((a, b) => a - b));
  assert.deepEqual(mislabel(clean, { share: 0, random }), clean);
});

Deno.test("mislabel() takes more of the same at a higher share", () => {
  const more = wrongOf(0.4);
  assert.ok(wrongOf(0.2).every((row) => more.includes(row)));
});

Deno.test("otherMeanings() gives each concept another one, of another category where there is one", () => {
  const categories = ["color", "color", "color", "color", "texture", "object", "object"];
  const others = otherMeanings(categories.map((category) => ({ category })), random);
  assert.equal(others.length, categories.length);
  others.forEach((other, concept) => assert.notEqual(categories[other], categories[concept]));
  const alike = otherMeanings(Array.from({ length: 5 }, () => ({ category: "object" })), random);
  alike.forEach((other, concept) => assert.notEqual(other, concept));
});
