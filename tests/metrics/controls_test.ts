import assert from "node:assert/strict";
import {
  areaUnderRoc,
  benjaminiHochberg,
  conceptOverlap,
  controlledPValues,
  empiricalPValue,
  stability,
} from "../../lib/metrics/mod.ts";
import { createRandom } from "../../lib/tensor/mod.ts";
import { near } from "./_reference.ts";

/** Values computed by tools/fixtures/controls.py with NumPy, SciPy and scikit-learn. */
const reference = JSON.parse(
  Deno.readTextFileSync(new URL("../fixtures/metrics/controls.json", import.meta.url)),
);
const ascending = (values: readonly number[]) => values.toSorted((a, b) => a - b);

Deno.test("empiricalPValue() agrees with SciPy's Monte Carlo test, with ties too", () => {
  for (const { null: controls, values, pValues } of reference.empirical) {
    values.forEach((value: number, i: number) =>
      assert.ok(near(empiricalPValue(value, ascending(controls)), pValues[i]), `${value}`)
    );
  }
});

Deno.test("empiricalPValue() is never 0 and calls no score significant that most controls get", () => {
  const controls = ascending([...new Array(60).fill(0), ...new Array(39).fill(100)]);
  assert.equal(empiricalPValue(100, controls), 0.8);
  assert.equal(empiricalPValue(0, controls), 1);
  assert.equal(empiricalPValue(1e6, controls), 2 / 100);
  assert.throws(() => empiricalPValue(1, []), RangeError);
  assert.throws(() => empiricalPValue(NaN, controls), RangeError);
});

Deno.test("empiricalPValue() of a control is at most p in no more than a share p of draws", () => {
  const random = createRandom(3);
  const draws = 2000;
  let rejected = 0;
  for (let i = 0; i < draws; i++) {
    // Coarse values, so that many tie.
    const values = Array.from({ length: 40 }, () => random.integer(6));
    const [value, ...controls] = values as [number, ...number[]];
    if (empiricalPValue(value, ascending(controls)) <= 0.2) rejected++;
  }
  assert.ok(rejected / draws <= 0.2 + 3 * Math.sqrt(0.2 * 0.8 / draws), `${rejected}`);
});

Deno.test("benjaminiHochberg() agrees with SciPy, with ties too", () => {
  for (const { pValues, adjusted } of reference.benjaminiHochberg) {
    const ours = benjaminiHochberg(pValues);
    adjusted.forEach((p: number, i: number) => assert.ok(near(ours[i]!, p)));
  }
  assert.deepEqual(benjaminiHochberg([]), []);
  assert.throws(() => benjaminiHochberg([0.2, 1.1]), RangeError);
  assert.throws(() => benjaminiHochberg([NaN]), RangeError);
});

Deno.test("controlledPValues() corrects over the values, each tested among its own controls", () => {
  const low = Array.from({ length: 99 }, (_, i) => i / 100);
  const high = low.map((value) => value + 10);
  const values = [{ value: 20, controls: low }, { value: 10.5, controls: high }];
  // 2/100 is the lower of two, so it counts twice; 10.5 lies in the middle of its controls.
  assert.deepEqual(controlledPValues(values), [4 / 100, empiricalPValue(10.5, high)]);
  assert.throws(() => controlledPValues([{ value: 1, controls: [] }]), RangeError);
});

Deno.test("areaUnderRoc() agrees with scikit-learn, with ties too", () => {
  for (const { positives, negatives, area } of reference.areaUnderRoc) {
    assert.ok(near(areaUnderRoc({ positives, negatives }), area));
  }
  assert.equal(areaUnderRoc({ positives: [1, 1], negatives: [1] }), 0.5);
  assert.throws(() => areaUnderRoc({ positives: [], negatives: [1] }), RangeError);
});

Deno.test("stability() and conceptOverlap() agree with NumPy", () => {
  const { vectors: [first, ...others], degrees, overlap } = reference.directions;
  assert.ok(near(stability(first, others), degrees));
  assert.ok(near(conceptOverlap(first, others), overlap));
  assert.throws(() => stability(first, []), RangeError);
  assert.throws(() => conceptOverlap(first, []), RangeError);
});

Deno.test("stability() of equal vectors is 0 degrees, of opposite ones 180", () => {
  assert.equal(stability([0.1, 0.7, 3], [[0.1, 0.7, 3]]), 0);
  assert.ok(near(stability([1, 2], [[-1, -2]]), 180));
});
