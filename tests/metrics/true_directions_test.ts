import assert from "node:assert/strict";
import { featureRows } from "../../lib/activations/mod.ts";
import { measureOf, trueDirections, type TruthMeasure } from "../../lib/metrics/mod.ts";
import { tensor } from "../../lib/tensor/mod.ts";

/** Values computed by tools/fixtures/true_directions.py with NumPy and scikit-learn. */
const reference = JSON.parse(
  Deno.readTextFileSync(new URL("../fixtures/metrics/true_directions.json", import.meta.url)),
);
const { shape, data } = reference.features;
const features = featureRows(tensor(shape, Float32Array.from(data)));

function requireNear(actual: ArrayLike<number>, expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  for (const [i, value] of expected.entries()) {
    assert.ok(Math.abs(actual[i]! - value) < 1e-6, `${actual[i]} against ${value} at ${i}`);
  }
}

Deno.test("trueDirections() are NumPy's means of differences within contexts", async () => {
  const truth = await trueDirections(features, reference.contexts, { concepts: 5 });
  requireNear(truth.directions.data, reference.directions.flat());
  requireNear(truth.reliability.data, reference.reliability);
  requireNear(truth.consistency.data, reference.consistency);
});

Deno.test("trueDirections() find an effect that is the same everywhere, whatever the context adds", async () => {
  const rows = [0, 1, 2].flatMap((context) => [
    [100 * context, 7, -context],
    [100 * context + 3, 7, -context + 4],
  ]);
  const contexts = [0, 1, 2].map((i) => ({ concepts: [0, 1], images: [2 * i, 2 * i + 1] }));
  const matrix = featureRows(tensor([6, 3], Float32Array.from(rows.flat())));
  const truth = await trueDirections(matrix, contexts, { concepts: 2 });
  requireNear(truth.directions.data, [-3, 0, -4, 3, 0, 4]);
  requireNear(truth.reliability.data, [1, 1]);
  requireNear(truth.consistency.data, [1, 1]);
});

Deno.test("trueDirections() reject a concept of one context, which has no halves", async () => {
  const contexts = reference.contexts.slice(0, 6);
  await assert.rejects(
    trueDirections(features, contexts, { concepts: 5 }),
    /Concept 3 has 1 contexts; a direction takes two\./,
  );
});

Deno.test("truth measures tell a concept's own factor from the others", () => {
  const directions = [
    { concept: "red", category: "color", cosine: 0.6, ofTruth: 1 },
    { concept: "blue", category: "color", cosine: -0.9, ofTruth: -0.5 },
    { concept: "ball", category: "object", cosine: -0.2, ofTruth: 0.3 },
    { concept: "beach", category: "scene", cosine: 0.1, ofTruth: -0.05 },
  ];
  const truth = {
    ...{ concept: "red", category: "color", directions },
    ...{ reliability: 0.75, consistency: 0.5 },
  };
  const valueOf = (name: Parameters<typeof measureOf>[0]) =>
    (measureOf(name) as TruthMeasure).measure(truth);
  assert.deepEqual(valueOf("truth_alignment"), [{ direction: "", value: 60 }]);
  const [leakage] = valueOf("truth_leakage");
  requireNear([leakage!.value], [15]);
  const [entanglement] = valueOf("truth_entanglement");
  requireNear([entanglement!.value], [17.5]);
  assert.deepEqual(valueOf("truth_reliability"), [{ direction: "", value: 75 }]);
  assert.deepEqual(valueOf("truth_consistency"), [{ direction: "", value: 50 }]);
  assert.deepEqual(
    valueOf("truth_cosine").map(({ direction, value }) => `${direction} ${Math.round(value)}`),
    ["red 60", "blue -90", "ball -20", "beach 10"],
  );
});
