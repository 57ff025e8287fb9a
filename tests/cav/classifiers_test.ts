import assert from "node:assert/strict";
import type { Method } from "../../lib/config/mod.ts";
import { openEngine, trainCavs } from "../../lib/cav/mod.ts";
import { createRandom, norm, row } from "../../lib/tensor/mod.ts";
import { readReference, relativeDifference } from "./_reference.ts";

const engine = await openEngine("ort", { device: "cpu" });
const context = { engine, random: createRandom("classifiers") };
const references = {
  "narrow features": await readReference("classifiers.json"),
  "wide features": await readReference("classifiers_wide.json"),
};

for (const [width, { problem, results }] of Object.entries(references)) {
  for (const { method, vectors, thresholds } of results) {
    const penalty = "penalty" in method.hyperparameters
      ? `, penalty ${method.hyperparameters.penalty}`
      : "";
    Deno.test(`trainCavs() trains ${method.id}${penalty} as scikit-learn or NumPy: ${width}`, async () => {
      const trained = await trainCavs(problem, [method], context);
      const dim = problem.features.shape[1];
      vectors.flat().forEach((expected, i) => {
        const actual = trained.vectors.data.subarray(i * dim, (i + 1) * dim);
        const difference = relativeDifference(actual, expected);
        assert.ok(difference < 1e-6, `${difference}: ${actual} for ${expected}`);
      });
      const difference = relativeDifference(
        trained.thresholds.data,
        thresholds.flat(),
      );
      assert.ok(difference < 1e-5, `${difference}`);
    });
  }
}

const { problem, results } = references["wide features"];
const methods = results.map(({ method }) => method);
const methodOf = (base: Method["base"]) => methods.find((method) => method.base === base)!;

Deno.test("meanDifference() and fastCav() agree in direction and threshold with as many negatives as positives", async () => {
  const concepts = problem.concepts.map((concept) => ({
    ...concept,
    negatives: concept.negatives.map((rows, seed) =>
      Int32Array.from([...rows, ...concept.probes]).slice(0, concept.positives[seed]!.length)
    ),
  }));
  const { vectors, thresholds } = await trainCavs(
    { ...problem, concepts },
    [methodOf("mean_difference"), methodOf("fast_cav")],
    context,
  );
  const dim = problem.features.shape[1];
  const [difference, fast] = [row(vectors, 0), row(vectors, 1)];
  for (let at = 0; at < difference.length; at += dim) {
    const one = difference.subarray(at, at + dim);
    const length = norm(one);
    const unit = fast.subarray(at, at + dim);
    assert.ok(Math.abs(norm(unit) - 1) < 1e-6);
    assert.ok(relativeDifference(one.map((x) => x / length), unit) < 1e-6);
    const i = at / dim;
    const scaled = row(thresholds, 0)[i]! / length;
    assert.ok(Math.abs(scaled - row(thresholds, 1)[i]!) < 1e-5 * Math.abs(scaled));
  }
});

Deno.test("svmCav() with images far apart has them all outside of its margin", async () => {
  // Wide features can be told apart: with hardly any penalty no positive scores less than 1 above.
  const svm = { ...methodOf("svm_cav"), hyperparameters: { penalty: 1e-6 } } as Method;
  const { vectors, thresholds } = await trainCavs(problem, [svm], context);
  const [concept] = problem.concepts;
  const { data } = await problem.features.take(concept!.positives[0]!);
  const dim = problem.features.shape[1];
  const v = vectors.data.subarray(0, dim);
  const scores = Array.from(concept!.positives[0]!, (_, i) => {
    let score = -thresholds.data[0]!;
    for (let j = 0; j < dim; j++) score += v[j]! * data[i * dim + j]!;
    return score;
  });
  assert.ok(Math.abs(Math.min(...scores) - 1) < 1e-4, `${scores}`);
});

for (
  const base of ["mean_difference", "fast_cav", "ridge_cav", "svm_cav", "logistic_cav"] as const
) {
  Deno.test(`trainCavs() by ${base} refuses a concept without labelled images`, async () => {
    const concepts = problem.concepts.map((concept) => ({
      ...concept,
      positives: [[], []].map(() => new Int32Array()),
      negatives: [[], []].map(() => new Int32Array()),
    }));
    await assert.rejects(
      trainCavs({ ...problem, concepts }, [methodOf(base)], context),
      /takes labelled images/,
    );
  });

  Deno.test(`trainCavs() by ${base} gives no direction of images that are all equal`, async () => {
    const same = problem.concepts[0]!.positives[0]!.slice(0, 1);
    const rows = [Int32Array.of(same[0]!, same[0]!), Int32Array.of(same[0]!, same[0]!)];
    const concepts = [{ ...problem.concepts[0]!, positives: rows, negatives: rows }];
    const { vectors, thresholds } = await trainCavs(
      { ...problem, concepts },
      [methodOf(base)],
      context,
    );
    assert.ok(vectors.data.every((x) => Math.abs(x) < 1e-6), `${vectors.data}`);
    assert.ok(thresholds.data.every(Number.isFinite));
  });
}
