import assert from "node:assert/strict";
import { relatedPairs } from "../../lib/concepts/mod.ts";
import {
  conceptAccuracy,
  conceptToClassAccuracy,
  tcavScore,
  top1Accuracy,
} from "../../lib/metrics/mod.ts";
import { row, takeRows, tensor } from "../../lib/tensor/mod.ts";
import { near, reference } from "./_reference.ts";

Deno.test("conceptAccuracy() agrees with scikit-learn's accuracy_score", () => {
  const { positives, negatives, threshold, percent } = reference.accuracy;
  assert.ok(near(conceptAccuracy({ positives, negatives }, threshold), percent));
});

Deno.test("conceptAccuracy() counts a score on the threshold as negative", () => {
  assert.equal(conceptAccuracy({ positives: [1, 2], negatives: [1, 0] }, 1), 75);
});

Deno.test("conceptAccuracy() refuses an empty test set and scores that are not finite", () => {
  assert.throws(() => conceptAccuracy({ positives: [], negatives: [] }, 0), RangeError);
  assert.throws(() => conceptAccuracy({ positives: [NaN], negatives: [] }, 0), /NaN/);
  assert.throws(() => conceptAccuracy({ positives: [1], negatives: [] }, Infinity), /Infinity/);
});

Deno.test("conceptToClassAccuracy() is 100 times scikit-learn's cosine_similarity", () => {
  const { vectors, weights, shape: [m, n, width], cosine } = reference.cosines;
  const concepts = tensor([m, width], Float32Array.from(vectors));
  const classes = tensor([n, width], Float32Array.from(weights));
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const value = conceptToClassAccuracy(row(concepts, i), takeRows(classes, [j]));
      assert.ok(near(value, 100 * cosine[i][j]), `pair ${i}, ${j}: ${value}`);
    }
  }
});

Deno.test("conceptToClassAccuracy() does not depend on the length of the CAV", () => {
  const gradient = tensor([1, 2], Float32Array.of(4, 3));
  assert.ok(near(conceptToClassAccuracy([3, 4], gradient), 96));
  assert.ok(near(conceptToClassAccuracy([30, 40], gradient), 96));
  assert.equal(conceptToClassAccuracy([0, 0], gradient), 0);
});

Deno.test("conceptToClassAccuracy() is the mean over the inputs, a gradient of zero being 0", () => {
  // Cosines 0.96, -0.6 and 0.
  const gradients = tensor([3, 2], Float32Array.of(4, 3, -1, 0, 0, 0));
  assert.ok(near(conceptToClassAccuracy([3, 4], gradients), 12));
  assert.throws(() => conceptToClassAccuracy([1], tensor([0, 1], new Float32Array())), RangeError);
});

Deno.test("tcavScore() is NumPy's share of positive directional derivatives", () => {
  const { vector, gradients, shape, percent } = reference.tcav;
  const score = tcavScore(vector, tensor(shape, Float32Array.from(gradients)));
  assert.ok(percent > 10 && percent < 90);
  assert.ok(near(score, percent));
});

Deno.test("tcavScore() on last-layer features is the sign of one product", () => {
  assert.equal(tcavScore([1, -1], tensor([1, 2], Float32Array.of(2, 1))), 100);
  assert.equal(tcavScore([1, -1], tensor([1, 2], Float32Array.of(1, 2))), 0);
  assert.equal(tcavScore([1, -1], tensor([1, 2], Float32Array.of(1, 1))), 0);
});

Deno.test("tcavScore() refuses no inputs and gradients of another width", () => {
  assert.throws(() => tcavScore([1], tensor([0, 1], new Float32Array())), RangeError);
  assert.throws(() => tcavScore([1], tensor([1, 2], new Float32Array(2))), RangeError);
});

Deno.test("top1Accuracy() agrees with scikit-learn's top_k_accuracy_score", () => {
  const { logits, shape, labels, percent } = reference.top1;
  assert.ok(near(top1Accuracy(tensor(shape, Float32Array.from(logits)), labels), percent));
});

Deno.test("top1Accuracy() predicts the first of equal logits and nothing from NaN", () => {
  const logits = tensor([3, 2], Float32Array.of(1, 1, NaN, NaN, NaN, -1));
  assert.ok(near(top1Accuracy(logits, [0, 0, 1]), 200 / 3));
  assert.throws(() => top1Accuracy(logits, [0]), RangeError);
});

Deno.test("relatedPairs() keeps the pairs above the threshold, concepts first", () => {
  const concepts = tensor([3, 2], Float32Array.of(1, 0, 0, 2, 0, 0));
  const classes = tensor([3, 2], Float32Array.of(3, 4, 4, 3, 5, 0));
  const pairs = relatedPairs(concepts, classes, { threshold: 0.6 });
  assert.deepEqual(pairs.map((pair) => [pair.concept, pair.class]), [[0, 1], [0, 2], [1, 0]]);
  assert.ok(near(pairs[0]!.similarity, 0.8));
  assert.throws(() =>
    relatedPairs(concepts, tensor([1, 1], new Float32Array(1)), { threshold: 0 })
  );
});
