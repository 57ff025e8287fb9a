import assert from "node:assert/strict";
import {
  bootstrapInterval,
  drawResamples,
  mean,
  pairedPermutationTest,
  quantile,
  standardDeviation,
  weightedMean,
} from "../../lib/metrics/mod.ts";
import { createRandom } from "../../lib/tensor/mod.ts";
import { near, reference } from "./_reference.ts";

const random = createRandom(7);
const single = (sum: number) => ({ sum, weight: 1 });

Deno.test("mean(), standardDeviation() and quantile() agree with NumPy", () => {
  const { values, levels, quantiles, ...moments } = reference.moments;
  assert.ok(near(mean(values), moments.mean));
  assert.ok(near(standardDeviation(values), moments.standardDeviation));
  const ascending = values.toSorted((a: number, b: number) => a - b);
  levels.forEach((level: number, i: number) =>
    assert.ok(near(quantile(ascending, level), quantiles[i]))
  );
});

Deno.test("standardDeviation() of one value is unknown, a mean of none an error", () => {
  assert.ok(Number.isNaN(standardDeviation([3])));
  assert.throws(() => mean([]), RangeError);
  assert.throws(() => quantile([], 0.5), RangeError);
  assert.throws(() => quantile([1], 1.5), RangeError);
});

Deno.test("bootstrapInterval() agrees with NumPy for the same draws", () => {
  const { values, draws, interval } = reference.bootstrap;
  const resamples = { clusters: values.length, draws: Uint32Array.from(draws) };
  const { low, high } = bootstrapInterval(values.map(single), { resamples, confidence: 0.95 });
  assert.ok(near(low, interval[0]) && near(high, interval[1]));
});

Deno.test("bootstrapInterval() weighs a cluster by its number of values, as NumPy does", () => {
  const { values, counts, draws, clusterInterval } = reference.bootstrap;
  const clusters = values.map((value: number, i: number) => ({
    sum: value * counts[i],
    weight: counts[i],
  }));
  const resamples = { clusters: values.length, draws: Uint32Array.from(draws) };
  const { low, high } = bootstrapInterval(clusters, { resamples, confidence: 0.95 });
  assert.ok(near(low, clusterInterval[0]) && near(high, clusterInterval[1]));
});

Deno.test("weightedMean() agrees with NumPy and refuses weights that are none", () => {
  const { values, weights, mean: expected } = reference.weighted;
  assert.ok(near(weightedMean(values, weights), expected));
  assert.throws(() => weightedMean([1, 2], [1]), /2 values with 1 weights/);
  for (const wrong of [[0, 0], [1, -1], [1, NaN]]) {
    assert.throws(() => weightedMean([1, 2], wrong), RangeError);
  }
});

Deno.test("bootstrapInterval() of weighted values agrees with NumPy's weighted averages", () => {
  const { values, weights, draws, interval } = reference.weighted;
  const clusters = values.map((value: number, i: number) => ({
    sum: weights[i] * value,
    weight: weights[i],
  }));
  const resamples = { clusters: values.length, draws: Uint32Array.from(draws) };
  const { low, high } = bootstrapInterval(clusters, { resamples, confidence: 0.95 });
  assert.ok(near(low, interval[0]) && near(high, interval[1]));
});

Deno.test("drawResamples() and bootstrapInterval() come close to SciPy's own draws", () => {
  const { values, scipyInterval } = reference.bootstrap;
  const resamples = drawResamples(values.length, { resamples: 40_000, random });
  const { low, high } = bootstrapInterval(values.map(single), { resamples, confidence: 0.95 });
  // Standard errors of the end points are about 0.02 at 40,000 resamples of these values.
  assert.ok(Math.abs(low - scipyInterval[0]) < 0.08, `${low}`);
  assert.ok(Math.abs(high - scipyInterval[1]) < 0.08, `${high}`);
});

Deno.test("bootstrapInterval() of one cluster is a point", () => {
  const resamples = drawResamples(1, { resamples: 5, random });
  const interval = bootstrapInterval([single(3)], { resamples, confidence: 0.95 });
  assert.deepEqual(interval, { low: 3, high: 3 });
});

Deno.test("bootstrapInterval() refuses resamples of another number of clusters", () => {
  const resamples = drawResamples(2, { resamples: 5, random });
  assert.throws(() => bootstrapInterval([single(3)], { resamples, confidence: 0.95 }), RangeError);
  assert.throws(() => drawResamples(0, { resamples: 5, random }), RangeError);
});

Deno.test("pairedPermutationTest() enumerates few differences, as SciPy does", () => {
  for (const { differences, pValue } of reference.permutation.exact) {
    const value = pairedPermutationTest(differences, { permutations: 10_000, random });
    assert.ok(near(value, pValue), `${value} for ${pValue}`);
  }
});

Deno.test("pairedPermutationTest() by hand: 1, 2, 3 reach 6 in two of eight patterns", () => {
  const options = { permutations: 8, random };
  assert.equal(pairedPermutationTest([1, 2, 3], options), 2 / 8);
  assert.equal(pairedPermutationTest([1, -2, 3], options), 6 / 8);
  assert.equal(pairedPermutationTest([0, 0, 0], options), 1);
});

Deno.test("pairedPermutationTest() samples many differences to within its error of SciPy", () => {
  const { differences, pValue } = reference.permutation.many;
  const value = pairedPermutationTest(differences, { permutations: 100_000, random });
  assert.ok(Math.abs(value - pValue) < 5 * Math.sqrt(pValue / 100_000), `${value} for ${pValue}`);
});

Deno.test("pairedPermutationTest() never says 0 from sampled patterns", () => {
  const differences = Array.from({ length: 40 }, () => 1);
  const value = pairedPermutationTest(differences, { permutations: 999, random });
  assert.equal(value, 1 / 1000);
});

Deno.test("pairedPermutationTest() under the null is uniform", () => {
  const values = Array.from({ length: 400 }, (_, trial) => {
    const stream = random.split(trial);
    const differences = Array.from({ length: 20 }, () => stream.normal());
    return pairedPermutationTest(differences, { permutations: 500, random: stream });
  });
  const rejected = values.filter((value) => value <= 0.1).length / values.length;
  assert.ok(rejected > 0.05 && rejected < 0.15, `${rejected}`);
});

Deno.test("pairedPermutationTest() refuses no differences and NaN", () => {
  assert.throws(() => pairedPermutationTest([], { permutations: 10, random }), RangeError);
  assert.throws(() => pairedPermutationTest([NaN], { permutations: 10, random }), /NaN/);
});
