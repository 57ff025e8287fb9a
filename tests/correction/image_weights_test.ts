import assert from "node:assert/strict";
import { asrWeights } from "../../lib/correction/asr.ts";
import { groupWeights } from "../../lib/correction/group_balanced_retraining.ts";
import { largestPossibleChange, weightDiagnostics } from "../../lib/correction/image_weights.ts";
import { correctLastLayers } from "../../lib/correction/mod.ts";
import { cosine, createRandom, norm, row } from "../../lib/tensor/mod.ts";
import { readReference, relativeDifference } from "./_reference.ts";

const reference = await readReference();
const { problem: { features, labels, groups }, cavs } = reference;
const images = Array.from(labels.keys());
const rows = await features.take(images);
const temperature = 0.2;

/** The images of each class with their cosines. */
const classes = [...Map.groupBy(images, (image) => labels[image]!)].map(([label, members]) => ({
  members,
  hasCav: norm(row(cavs, label)) > 0,
  cosines: members.map((image) => cosine(row(cavs, label), row(rows, image))),
}));

Deno.test("asrWeights() gives NumPy's weights of Eq. 7, of mean 1", () => {
  for (const { members, cosines, hasCav } of classes) {
    if (!hasCav) continue;
    const weights = asrWeights(cosines, { temperature });
    const expected = members.map((image) => reference.weights.asr[image]!);
    assert.ok(relativeDifference(weights, expected) < 1e-12);
    const mean = weights.reduce((sum, weight) => sum + weight / members.length, 0);
    assert.ok(Math.abs(mean - 1) < 1e-12, `${mean}`);
  }
  assert.deepEqual([...asrWeights([-1, 1], { temperature: 1e-4 })], [0, 2], "no overflow");
});

Deno.test("groupWeights() gives NumPy's weights, the same sum for each group", () => {
  const weights = groupWeights(groups!);
  assert.ok(relativeDifference(weights, reference.weights.groups) < 1e-7);
  const sums = [0, 0, 0, 0];
  weights.forEach((weight, image) => sums[groups![image]!]! += weight);
  for (const sum of sums) assert.ok(Math.abs(sum - images.length / 4) < 1e-4);
});

Deno.test("weightDiagnostics() gives NumPy's effective sample size", () => {
  for (const name of ["asr", "groups"] as const) {
    const weights = Float32Array.from(reference.weights[name]);
    const { effectiveSampleSize } = weightDiagnostics(weights, labels);
    assert.ok(Math.abs(effectiveSampleSize! - reference.effectiveSampleSize[name]) < 1e-7, name);
  }
});

Deno.test("weightDiagnostics() of weights worked out by hand", () => {
  // Class 0: 1.5 and 0.5, so (2^2 / 2.5) / 2 = 0.8 and a ratio of 3; class 1: a lone image.
  const found = weightDiagnostics(Float32Array.of(1.5, 1, 0.5), Int32Array.of(0, 1, 0));
  assert.deepEqual(found, {
    effectiveSampleSize: (0.8 + 1) / 2,
    greatestWeightRatio: 3,
    weightChange: 1 / 3,
  });
});

Deno.test("largestPossibleChange() bounds what any cosines of the range give, and is reached", () => {
  const random = createRandom("cosines");
  for (const range of [0.01, 0.3, 2]) {
    for (const temperature of [1, 0.1]) {
      const bound = largestPossibleChange([{ range, images: 1000 }], { temperature });
      const changeOf = (cosines: readonly number[]) => {
        const weights = asrWeights(cosines, { temperature });
        return weights.reduce((sum, weight) => sum + Math.abs(weight - 1) / cosines.length, 0);
      };
      const uniform = Array.from({ length: 1000 }, () => random.between(0, range));
      assert.ok(changeOf(uniform) < bound);
      const changes = Array.from(
        { length: 99 },
        (_, i) => changeOf(Array.from({ length: 10000 }, (_, j) => j < 100 * (i + 1) ? range : 0)),
      );
      assert.ok(Math.max(...changes) <= bound + 1e-12);
      if (range / temperature < 5) assert.ok(Math.max(...changes) > 0.999 * bound);
    }
  }
  const classes = [{ range: 0.4, images: 30 }, { range: 0, images: 10 }];
  const mean = largestPossibleChange(classes, { temperature: 1 });
  assert.ok(Math.abs(mean - 0.75 * 2 * Math.tanh(0.1)) < 1e-15, "the mean over the images");
  assert.ok(largestPossibleChange([{ range: 2, images: 1 }], { temperature: 1 }) < 0.93);
});

Deno.test("correctLastLayers() tells how little ASR's weights differ, and by how much at most", async () => {
  const asr = reference.retrained.find(({ correction }) => correction.base === "asr")!;
  const requests = [{ correction: asr.correction, seed: 3, cavs }];
  const options = { random: createRandom(1) };
  const [layer] = await Array.fromAsync(correctLastLayers(reference.problem, requests, options));
  const { diagnostics } = layer!;
  const withCav = classes.filter(({ hasCav }) => hasCav);
  const ranges = withCav.map(({ cosines }) => Math.max(...cosines) - Math.min(...cosines));
  const near = (value: number | undefined, expected: number) =>
    assert.ok(Math.abs(value! - expected) < 1e-6 * expected, `${value} for ${expected}`);
  near(diagnostics.cosineRange, Math.max(...ranges));
  near(diagnostics.effectiveSampleSize, reference.effectiveSampleSize.asr);
  // Within a class the ratio of weights is that of the powers.
  near(diagnostics.greatestWeightRatio, Math.exp(Math.max(...ranges) / temperature));
  near(
    diagnostics.weightChange,
    reference.weights.asr.reduce((sum, weight) => sum + Math.abs(weight - 1) / images.length, 0),
  );
  assert.ok(diagnostics.weightChange! < diagnostics.largestPossibleChange!);
  assert.ok(diagnostics.largestPossibleChange! < 2);
});
