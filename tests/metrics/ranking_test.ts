import assert from "node:assert/strict";
import {
  averagePrecision,
  highest,
  measures,
  recallAtK,
  scaledRecall,
} from "../../lib/metrics/mod.ts";
import { near, reference } from "./_reference.ts";

const { scores, relevant, averagePrecision: expected, order, k, recall } = reference.ranking;
const truth = order.filter((index: number) => relevant[index]);

Deno.test("averagePrecision() agrees with scikit-learn's where many scores are equal", () => {
  assert.ok(new Set(scores).size < scores.length / 2);
  assert.ok(near(averagePrecision(scores, relevant), expected));
});

Deno.test("averagePrecision() does not depend on the order of the items", () => {
  const backwards = averagePrecision(scores.toReversed(), relevant.toReversed());
  assert.ok(near(backwards, expected));
});

Deno.test("averagePrecision() refuses nothing relevant, NaN and unequal lengths", () => {
  assert.throws(() => averagePrecision([1, 2], [false, false]), RangeError);
  assert.throws(() => averagePrecision([1, NaN], [true, false]), /NaN/);
  assert.throws(() => averagePrecision([1], [true, false]), RangeError);
});

Deno.test("highest() orders as NumPy's stable argsort", () => {
  assert.deepEqual(highest(scores, 200), order);
  assert.deepEqual(highest([1, 3, 3, 2], 2), [1, 2]);
  assert.throws(() => highest([1], 2), RangeError);
  assert.throws(() => highest([NaN], 1), /NaN/);
});

Deno.test("recallAtK() is the share of the relevant among the k highest", () => {
  assert.ok(near(recallAtK(scores, { relevant: truth, k }), recall));
  assert.equal(recallAtK([5, 4, 3, 2, 1], { relevant: [0, 3], k: 3 }), 50);
  assert.throws(() => recallAtK([1], { relevant: [], k: 1 }), RangeError);
});

Deno.test("scaledRecall() looks at 50 and 100 of 2,000 images or more, and at a fortieth and a twentieth of fewer", () => {
  // The VL model ranks images by their number, the CAV puts `shift` others before them.
  const recall = (images: number, shift: number) => {
    const vl = Array.from({ length: images }, (_, i) => -i);
    const scores = vl.map((_, i) => -((i + shift) % images));
    return scaledRecall(scores, vl);
  };
  assert.equal(recall(2000, 0), 100);
  // Images 0 to 49 stand at 60 to 109: 40 of 50 are among the first 100.
  assert.equal(recall(2000, 60), 80);
  assert.equal(recall(20_000, 60), 80);
  // Of 200 images 5 among 10: they stand at 6 to 10, four of five among the first ten.
  assert.equal(recall(200, 6), 80);
  assert.equal(recall(10, 1), 0);
});

Deno.test("measures of classes weigh by images and tell scenes apart", () => {
  const images = {
    correct: [true, false, true, true],
    preferred: [true, false, false, true],
  };
  assert.deepEqual(measures.top1_accuracy.measure(images), [{ group: "", value: 75, weight: 4 }]);
  assert.deepEqual(measures.other_scene_accuracy.measure(images), [
    { group: "", value: 50, weight: 2 },
  ]);
  assert.deepEqual(measures.worst_group_accuracy.measure(images), [
    { group: "preferred scene", value: 100, weight: 2 },
    { group: "other scenes", value: 50, weight: 2 },
  ]);
  const none = { correct: [true], preferred: [true] };
  assert.deepEqual(measures.other_scene_accuracy.measure(none), []);
  assert.equal(measures.worst_group_accuracy.measure(none).length, 1);
});
