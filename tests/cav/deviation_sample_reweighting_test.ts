import assert from "node:assert/strict";
import {
  deviationWeights,
  effectiveSampleSize,
} from "../../lib/cav/deviation_sample_reweighting.ts";
import { readFixture, relativeDifference } from "./_reference.ts";

const cases = await readFixture("parts.json");

for (const [index, { cosines, weights }] of cases.entries()) {
  Deno.test(`deviationWeights() equals SciPy's, case ${index}`, () => {
    assert.ok(relativeDifference(deviationWeights(cosines), weights) < 1e-7);
  });
}

Deno.test("deviationWeights() of a worked example", () => {
  // Deviations 0 and 0.5: weights 2 / (1 + exp(-0.5)) and the rest of 2.
  const [even, uneven] = deviationWeights([[0.3, 0.3], [0, 1]]);
  const expected = 2 / (1 + Math.exp(-0.5));
  assert.ok(Math.abs(even! - expected) < 1e-7 && Math.abs(uneven! - (2 - expected)) < 1e-7);
});

Deno.test("deviationWeights() are 1 for a single positive, and have mean 1", () => {
  assert.deepEqual([...deviationWeights([[0.1], [0.9], [0.4]])], [1, 1, 1]);
  const weights = deviationWeights([[0.1, 0.5], [0.9, 0.2], [0.4, 0.4], [-1, 1]]);
  assert.ok(Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 4) < 1e-6);
});

const reweighting = await readFixture("reweighting.json");

for (const { weights, effectiveSampleSize: size, ...how } of reweighting.cases) {
  Deno.test(`deviationWeights() by ${how.normalisation}, temperature ${how.temperature}, equals NumPy's`, () => {
    const actual = deviationWeights(reweighting.cosines, how);
    assert.ok(relativeDifference(actual, weights) < 1e-6, `${actual} for ${weights}`);
    assert.ok(Math.abs(effectiveSampleSize(actual) - size) < 1e-5 * size);
  });
}

Deno.test("deviationWeights() give all weight to what deviates nowhere, by the inverse", () => {
  const inverse = { normalisation: "inverse deviation", temperature: 1 } as const;
  assert.deepEqual([...deviationWeights([[0.2, 0.2], [0, 1], [0.5, 0.5]], inverse)], [1.5, 0, 1.5]);
});

Deno.test("effectiveSampleSize() is between one and all", () => {
  assert.equal(effectiveSampleSize([0, 4, 0, 0]), 1);
  assert.equal(effectiveSampleSize([1, 1, 1, 1]), 4);
});
