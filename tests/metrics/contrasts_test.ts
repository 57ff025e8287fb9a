import assert from "node:assert/strict";
import {
  bootstrapInterval,
  crossedBootstrap,
  drawResamples,
  drawSeeds,
  drawSigns,
  equivalencePValue,
  holm,
  normalQuantile,
  pairedPermutationTest,
  replicationsNeeded,
  seedPatterns,
  signFlipTest,
  varianceComponents,
} from "../../lib/metrics/mod.ts";
import { createRandom } from "../../lib/tensor/mod.ts";
import { near, reference } from "./_reference.ts";

const expected = reference.contrasts;
const random = createRandom(11);
const crossed = { sums: expected.sums, weights: expected.weights };

Deno.test("holm() agrees with statsmodels, ties and order among them", () => {
  const corrected = holm(expected.pValues);
  assert.ok(corrected.every((p, i) => near(p, expected.holm[i])));
  assert.deepEqual(holm([]), []);
  assert.deepEqual(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
});

Deno.test("crossedBootstrap() agrees with NumPy for the same draws of concepts and seeds", () => {
  const of = (clusters: number, draws: number[]) => ({ clusters, draws: Uint32Array.from(draws) });
  const means = crossedBootstrap(crossed, {
    concepts: of(expected.weights.length, expected.conceptDraws),
    seeds: seedPatterns(expected.seedDraws, { seeds: 3, drawn: 2 }),
  });
  assert.equal(means.length, expected.means.length);
  assert.ok([...means].every((mean, i) => near(mean, expected.means[i])));
});

Deno.test("crossedBootstrap() of one seed is the bootstrap over concepts", () => {
  const concepts = drawResamples(11, { resamples: 300, random });
  const seeds = drawSeeds(1, { resamples: 300, random });
  const means = crossedBootstrap({ ...crossed, sums: [crossed.sums[0]] }, { concepts, seeds });
  const clusters = crossed.sums[0].map((sum: number, i: number) => ({
    sum,
    weight: crossed.weights[i],
  }));
  const { low } = bootstrapInterval(clusters, { resamples: concepts, confidence: 0.5 });
  assert.ok(near(means.toSorted()[Math.floor(0.25 * 299)]!, low, 0.02));
  const fewer = drawResamples(10, { resamples: 300, random });
  assert.throws(() => crossedBootstrap(crossed, { concepts: fewer, seeds }), RangeError);
});

Deno.test("crossed intervals hold the true effect about as often as they say, those over concepts do not", () => {
  const [concepts, seeds, trials, resamples] = [20, 8, 300, 300];
  let both = 0;
  let alone = 0;
  for (let trial = 0; trial < trials; trial++) {
    const stream = random.split(`coverage ${trial}`);
    const ofConcepts = Array.from({ length: concepts }, () => stream.normal());
    const sums = Array.from({ length: seeds }, () => {
      const ofSeed = stream.normal();
      return ofConcepts.map((value) => value + ofSeed + stream.normal());
    });
    const values = { sums, weights: ofConcepts.map(() => 1) };
    const draws = drawResamples(concepts, { resamples, random: stream });
    const holds = (means: Float64Array) => {
      means.sort();
      return means[Math.floor(0.05 * resamples)]! < 0 &&
        means[Math.ceil(0.95 * resamples) - 1]! > 0;
    };
    const patterns = drawSeeds(seeds, { resamples, random: stream });
    if (holds(crossedBootstrap(values, { concepts: draws, seeds: patterns }))) both++;
    const once = drawSeeds(1, { resamples, random: stream });
    const averaged = [ofConcepts.map((_, i) => sums.reduce((sum, of) => sum + of[i]! / seeds, 0))];
    if (holds(crossedBootstrap({ ...values, sums: averaged }, { concepts: draws, seeds: once }))) {
      alone++;
    }
  }
  assert.ok(both / trials > 0.83 && both / trials < 0.95, `${both} of ${trials}`);
  assert.ok(alone / trials < 0.8, `${alone} of ${trials}`);
});

Deno.test("signFlipTest() agrees with SciPy where it enumerates and with the slow test elsewhere", () => {
  const seeds = expected.sums.length;
  const differences = expected.weights.map((_: number, i: number) =>
    expected.sums.reduce((sum: number, of: number[]) => sum + of[i]! / seeds, 0)
  );
  const all = drawSigns(differences.length, { permutations: 1 << 11, random });
  assert.ok(all.exact && near(signFlipTest(differences, all), expected.signFlip));
  const { differences: many, pValue } = reference.permutation.many;
  const some = drawSigns(many.length, { permutations: 100_000, random });
  const value = signFlipTest(many, some);
  assert.ok(!some.exact && Math.abs(value - pValue) < 5 * Math.sqrt(pValue / 100_000));
  const few = [1, -2, 3];
  assert.equal(
    signFlipTest(few, drawSigns(3, { permutations: 8, random })),
    pairedPermutationTest(few, { permutations: 8, random }),
  );
  assert.throws(() => signFlipTest([1, NaN, 2], drawSigns(3, { permutations: 8, random })));
  assert.throws(() => signFlipTest([1], drawSigns(3, { permutations: 8, random })), RangeError);
});

Deno.test("signFlipTest() under the null rejects as often as its level, Holm's family no more", () => {
  const signs = drawSigns(20, { permutations: 999, random });
  const trials = Array.from({ length: 400 }, (_, trial) => {
    const stream = random.split(`null ${trial}`);
    return Array.from(
      { length: 5 },
      () => signFlipTest(Array.from({ length: 20 }, () => stream.normal()), signs),
    );
  });
  const single = trials.flat().filter((p) => p <= 0.1).length / 2000;
  assert.ok(single > 0.08 && single < 0.12, `${single}`);
  const family = trials.filter((values) => Math.min(...holm(values)) <= 0.1).length / 400;
  assert.ok(family < 0.15, `${family}`);
});

Deno.test("equivalencePValue() comes close to statsmodels' two one-sided t-tests", () => {
  const sums = [expected.large];
  const concepts = drawResamples(200, { resamples: 20_000, random });
  const seeds = drawSeeds(1, { resamples: 20_000, random });
  const effects = crossedBootstrap({ sums, weights: new Array(200).fill(1) }, { concepts, seeds });
  for (const [margin, pValue] of Object.entries<number>(expected.tost)) {
    const value = equivalencePValue(effects, Number(margin));
    assert.ok(Math.abs(value - pValue) < 0.2 * pValue + 0.002, `${value} for ${pValue}`);
  }
  assert.equal(equivalencePValue(Float64Array.of(0, 0, 2, -2), 1), 2 / 5);
  assert.throws(() => equivalencePValue(effects, 0), RangeError);
});

Deno.test("varianceComponents() agrees with statsmodels' analysis of variance", () => {
  const weights = expected.weights.map(() => 1);
  const { concept, seed, residual } = varianceComponents({ sums: expected.effects, weights });
  assert.ok(near(concept, expected.components.concept));
  assert.ok(near(seed!, expected.components.seed));
  assert.ok(near(residual!, expected.components.residual));
  const once = varianceComponents({ sums: [[1, 3]], weights: [1, 1] });
  assert.deepEqual(once, { concept: 2, seed: null, residual: null });
  assert.throws(() => varianceComponents({ sums: [[1]], weights: [1] }), RangeError);
});

Deno.test("normalQuantile() agrees with SciPy", () => {
  expected.levels.forEach((level: number, i: number) =>
    assert.ok(near(normalQuantile(level), expected.quantiles[i], 1e-8), `${level}`)
  );
  assert.throws(() => normalQuantile(1), RangeError);
});

Deno.test("replicationsNeeded() by hand", () => {
  // The effect may have a standard error of 1 / (1.96 + 0.84) = 0.357, a variance of 0.1274.
  const options = { effect: 1, margin: null, seeds: 4, concepts: 10, level: 0.05, power: 0.8 };
  // 0.1 of concepts stays: (0.4 + 2 / 10) / 0.0274 = 21.9; 0.1 of seeds stays: (1 + 2 / 4) / 0.0274.
  assert.deepEqual(
    replicationsNeeded({ concept: 1, seed: 0.4, residual: 2 }, options),
    { seeds: 22, concepts: 55 },
  );
  // No seeds help where concepts alone vary more than that, none are known to with one seed.
  const { seeds } = replicationsNeeded({ concept: 2, seed: 0.4, residual: 2 }, options);
  assert.equal(seeds, null);
  assert.equal(replicationsNeeded({ concept: 1, seed: null, residual: null }, options).seeds, null);
  // An effect of 0 is never told from 0, but from a margin of 1: 1 / (1.645 + 0.842) = 0.402.
  assert.deepEqual(
    replicationsNeeded({ concept: 2, seed: 0, residual: 0 }, { ...options, effect: 0, margin: 1 }),
    { seeds: null, concepts: 13 },
  );
});
