import assert from "node:assert/strict";
import { drawNegatives, singleConceptImages } from "../../lib/concepts/mod.ts";
import type { BrodenLabel, FoundLabel } from "../../lib/datasets/mod.ts";
import { createRandom } from "../../lib/tensor/mod.ts";

const label = (number: number, category: string): [number, BrodenLabel] => [number, {
  number,
  name: `label ${number}`,
  phrase: `label ${number}`,
  category,
}];

const broden = {
  labels: new Map([label(1, "color"), label(2, "object"), label(3, "object"), label(4, "part")]),
};

const color = (fraction: number): FoundLabel => ({ number: 1, category: "color", fraction });
const object = (number: number, fraction: number): FoundLabel => ({
  number,
  category: "object",
  fraction,
});

const labels: FoundLabel[][] = [
  [object(2, 0.5)],
  [object(2, 0.5), color(0.5)],
  [object(2, 0.5), object(3, 0.02)],
  [object(3, 1)],
  [],
  // Label 4 is mainly a part: as an object it makes no concept of its own.
  [object(4, 0.3)],
];

const found = (options: Partial<Parameters<typeof singleConceptImages>[2]>) =>
  Object.fromEntries(
    singleConceptImages(broden, labels, {
      categories: "own",
      minimumMaskFraction: 0,
      minimumImages: 1,
      ...options,
    }).concepts.map(({ concept, images }) => [concept.number, [...images]]),
  );

Deno.test("singleConceptImages() within the concept's own category", () => {
  assert.deepEqual(found({}), { 1: [1], 2: [0, 1], 3: [3] });
});

Deno.test("singleConceptImages() over all categories", () => {
  assert.deepEqual(found({ categories: "all" }), { 2: [0], 3: [3] });
});

Deno.test("singleConceptImages() passes over labels below the minimum mask fraction", () => {
  assert.deepEqual(found({ minimumMaskFraction: 0.05 }), { 1: [1], 2: [0, 1, 2], 3: [3] });
});

Deno.test("singleConceptImages() leaves out concepts of too few images", () => {
  assert.deepEqual(found({ minimumImages: 2 }), { 2: [0, 1] });
  const { tooFew } = singleConceptImages(broden, labels, {
    categories: "own",
    minimumMaskFraction: 0,
    minimumImages: 2,
  });
  assert.deepEqual(tooFew, [{ name: "label 1", images: 1 }, { name: "label 3", images: 1 }]);
});

Deno.test("drawNegatives() draws from other concepts' images without the concept, seeded", () => {
  const concepts = [2, 3].map((number) => ({
    concept: broden.labels.get(number)!,
    images: Int32Array.from(number === 2 ? [0, 1] : [2, 3]),
  }));
  const draw = (seed: number) => drawNegatives(concepts, labels, { random: createRandom(seed) });
  const [ofTwo, ofThree] = draw(0);
  // Image 2 shows label 2 as well, so it is no negative of it; so label 2 has one to draw.
  assert.deepEqual([...ofTwo!], [3]);
  assert.deepEqual([...ofThree!], [0, 1]);
  assert.deepEqual(draw(0), draw(0));
});
