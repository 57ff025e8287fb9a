import assert from "node:assert/strict";
import { alignActivations, momentsOf, pairMoments } from "../../lib/cav/gaussian_alignment.ts";
import { gramOf } from "../../lib/cav/_span.ts";
import { openEngine } from "../../lib/cav/mod.ts";
import { createRandom, dot, normaliseRows, row } from "../../lib/tensor/mod.ts";
import { matrix, readFixture, relativeDifference } from "./_reference.ts";

const cases = await readFixture("parts.json");

for (const [index, { features, activations, aligned }] of cases.entries()) {
  for (const pairs of ["all ordered pairs", "distinct pairs"] as const) {
    Deno.test(`pairMoments() equals SciPy's list of ${pairs}, case ${index}`, async () => {
      const engine = await openEngine("ort", { device: "cpu" });
      const unit = normaliseRows(matrix(features));
      const gram = await gramOf(unit, engine);
      const targets = [
        await pairMoments(unit, { engine, pairs }),
        await pairMoments(unit, { engine, pairs, gram }),
      ];
      await engine.close();
      for (const target of targets) {
        const actual = alignActivations(Float32Array.from(activations), target);
        assert.ok(relativeDifference(actual, aligned[pairs]) < 1e-6);
      }
    });
  }
}

for (const [images, dim] of [[300, 140], [140, 300]] as const) {
  Deno.test(`pairMoments() of ${images} images in ${dim} dimensions equals a list of pairs`, async () => {
    const random = createRandom("pairs");
    const rows = Array.from(
      { length: images },
      () => Array.from({ length: dim }, () => 0.5 + random.normal()),
    );
    const unit = normaliseRows(matrix(rows));
    const all = [...rows.keys()];
    const expected = momentsOf(
      all.flatMap((i) => all.map((j) => dot(row(unit, i), row(unit, j)))),
    );
    for (const name of ["ort", "tfjs"] as const) {
      const engine = await openEngine(name, { device: "cpu" });
      const gram = await gramOf(unit, engine);
      const pairs = "all ordered pairs";
      const moments = [
        await pairMoments(unit, { engine, pairs }),
        await pairMoments(unit, { engine, pairs, gram }),
      ];
      await engine.close();
      for (const { mean, deviation } of moments) {
        assert.ok(Math.abs(mean / expected.mean - 1) < 1e-6);
        assert.ok(Math.abs(deviation / expected.deviation - 1) < 1e-6);
      }
    }
  });
}

Deno.test("pairMoments() keeps the small deviation of features that nearly agree", async () => {
  // Unit vectors (cos t, sin t): the cosine of a pair is cos(t - t'), worked out in float64.
  const angles = Array.from({ length: 40 }, (_, i) => i * 1e-3);
  const features = matrix(angles.map((t) => [Math.cos(t), Math.sin(t)]));
  const cosines = angles.flatMap((s) => angles.map((t) => Math.cos(s - t)));
  const expected = momentsOf(cosines);
  const engine = await openEngine("ort", { device: "cpu" });
  const gram = await gramOf(features, engine);
  const pairs = "all ordered pairs";
  const moments = [
    await pairMoments(features, { engine, pairs }),
    await pairMoments(features, { engine, pairs, gram }),
  ];
  await engine.close();
  for (const actual of moments) {
    assert.ok(Math.abs(actual.mean - expected.mean) < 1e-6);
    assert.ok(Math.abs(actual.deviation / expected.deviation - 1) < 1e-2);
  }
});

Deno.test("pairMoments() counts a feature without length as cosine 0", async () => {
  const engine = await openEngine("ort", { device: "cpu" });
  const features = matrix([[1, 0], [0, 0]]);
  const all = await pairMoments(features, { engine, pairs: "all ordered pairs" });
  const distinct = await pairMoments(features, { engine, pairs: "distinct pairs" });
  await engine.close();
  // Cosines 1, 0, 0, 0: mean 1/4, variance 1/4 - 1/16.
  assert.ok(Math.abs(all.mean - 0.25) < 1e-7 && Math.abs(all.deviation - Math.sqrt(3) / 4) < 1e-6);
  assert.ok(Math.abs(distinct.mean) < 1e-7 && distinct.deviation < 1e-3);
});

Deno.test("alignActivations() gives the target's moments and keeps the order", () => {
  const random = createRandom("alignment");
  const activations = Float32Array.from({ length: 200 }, () => 0.2 + 0.03 * random.normal());
  const aligned = alignActivations(activations, { mean: 0.7, deviation: 0.1 });
  const { mean, deviation } = momentsOf(aligned);
  assert.ok(Math.abs(mean - 0.7) < 1e-6 && Math.abs(deviation - 0.1) < 1e-6);
  const order = (values: Float32Array) =>
    [...values.keys()].sort((a, b) => values[a]! - values[b]!);
  assert.deepEqual(order(aligned), order(activations));
});

Deno.test("alignActivations() puts equal activations at the target's mean", () => {
  const aligned = alignActivations(new Float32Array(3).fill(0.25), { mean: 0.5, deviation: 0.1 });
  assert.deepEqual([...aligned], [0.5, 0.5, 0.5]);
});

const { activations, target, aligned } = await readFixture("alignment.json");

for (const alignment of ["mean and deviation", "mean", "deviation", "neither"] as const) {
  Deno.test(`alignActivations() of ${alignment} equals NumPy's`, () => {
    const actual = alignActivations(Float32Array.from(activations), target, alignment);
    assert.ok(relativeDifference(actual, aligned[alignment]) < 1e-6, `${actual}`);
  });
}
