import assert from "node:assert/strict";
import type { FeatureRows } from "../../lib/activations/mod.ts";
import {
  type CorrectedLayer,
  type CorrectionProblem,
  type CorrectionRequest,
  correctLastLayers,
} from "../../lib/correction/mod.ts";
import { createRandom, tensor } from "../../lib/tensor/mod.ts";
import { readReference, relativeDifference } from "./_reference.ts";

const reference = await readReference();
const { problem, seed, cavs, artefacts } = reference;
const random = createRandom(1);
const request = (correction: CorrectionRequest["correction"], ofSeed = seed) => ({
  correction,
  seed: ofSeed,
  cavs,
  artefacts,
});
const bare = { title: "", cavMethod: "lg_cav", hyperparameters: {} };
const all: CorrectionRequest["correction"][] = [
  { ...bare, id: "original", base: "original" },
  ...reference.retrained.map(({ correction }) => correction),
  { ...bare, id: "cav_projection", base: "cav_projection" },
  {
    ...bare,
    id: "label_free_cbm",
    base: "label_free_cbm",
    hyperparameters: { ...reference.bottlenecks[1]!.hyperparameters, sagaEpochs: 20 },
  },
];

function correct(
  of: CorrectionProblem,
  requests: readonly CorrectionRequest[],
): Promise<CorrectedLayer[]> {
  return Array.fromAsync(correctLastLayers(of, requests, { random }));
}

/** Logits of all images of the reference. */
async function logitsOf({ weight, bias }: CorrectedLayer): Promise<number[][]> {
  const [images, dim] = problem.features.shape;
  const { data } = await problem.features.take(Array.from({ length: images }, (_, i) => i));
  return Array.from({ length: images }, (_, i) =>
    Array.from(bias.data, (b, k) => {
      let sum = b;
      for (let j = 0; j < dim; j++) sum += data[i * dim + j]! * weight.data[k * dim + j]!;
      return sum;
    }));
}

for (const { correction, weight, bias, lossBefore, lossAfter } of reference.retrained) {
  const { id, hyperparameters } = correction;
  const start = "start" in hyperparameters ? hyperparameters.start : "";
  Deno.test(`correctLastLayers() retrains as PyTorch in float64: ${id}, from ${start}`, async () => {
    const [layer] = await correct(problem, [request(correction)]);
    const differences = [
      relativeDifference(layer!.weight.data, weight.flat()),
      relativeDifference(layer!.bias.data, bias),
      relativeDifference([layer!.diagnostics.trainingLossBefore!], [lossBefore]),
      relativeDifference([layer!.diagnostics.trainingLossAfter!], [lossAfter]),
    ];
    assert.ok(differences.every((difference) => difference < 1e-6), `${differences}`);
  });
}

Deno.test("correctLastLayers() projects artefacts out as NumPy's pseudo-inverse", async () => {
  const { rank, logits } = reference.projected;
  const [layer] = await correct(problem, [
    request(all.find(({ base }) => base === "cav_projection")!),
  ]);
  const difference = relativeDifference((await logitsOf(layer!)).flat(), logits.flat());
  assert.ok(difference < 1e-6, `${difference}`);
  assert.deepEqual(layer!.diagnostics, { artefacts: rank });
  assert.equal(rank, 2, "the third artefact is a sum of the others");
});

Deno.test("correctLastLayers() leaves the original layer as it is", async () => {
  const [layer] = await correct(problem, [request(all[0]!)]);
  assert.deepEqual([layer!.weight, layer!.bias], Object.values(problem.lastLayer));
});

Deno.test("correctLastLayers() gives a layer the same bytes whatever else is asked", async () => {
  const requests = [3, 8].flatMap((seed) => all.map((correction) => request(correction, seed)));
  const together = await correct(problem, requests);
  assert.equal(together.length, requests.length);
  for (const layer of together) {
    const [alone] = await correct(problem, [layer.request]);
    assert.deepEqual(alone, layer, `${layer.request.correction.id}, seed ${layer.request.seed}`);
  }
  const byId = (id: string) =>
    together.filter(({ request }) => request.correction.id === id)
      .map(({ weight }) => weight.data);
  const [first, second] = byId("asr");
  assert.notDeepEqual(first, second, "the order depends on the seed");
});

Deno.test("correctLastLayers() does not depend on where in memory features lie", async () => {
  const shifted = ({ shape, take }: FeatureRows): FeatureRows => ({
    shape,
    take: async (indices) => {
      const rows = await take(indices);
      const data = new Float32Array(rows.data.length + 3).subarray(3);
      data.set(rows.data);
      return tensor(rows.shape, data);
    },
  });
  const elsewhere = {
    ...problem,
    features: shifted(problem.features),
    zeroShot: { ...problem.zeroShot!, images: shifted(problem.zeroShot!.images) },
    concepts: { ...problem.concepts!, images: shifted(problem.concepts!.images) },
  };
  const requests = all.map((correction) => request(correction));
  const layers = await correct(elsewhere, requests);
  assert.deepEqual(layers, await correct(problem, requests));
});

Deno.test("correctLastLayers() reads features that fit into memory once for all retraining", async () => {
  const taken = new Map<number, number>();
  const features: FeatureRows = {
    shape: problem.features.shape,
    take(indices) {
      for (const row of Array.from(indices)) taken.set(row, (taken.get(row) ?? 0) + 1);
      return problem.features.take(indices);
    },
  };
  const requests = [3, 8].flatMap((seed) =>
    reference.retrained.map(({ correction }) => request(correction, seed))
  );
  await correct({ ...problem, features }, requests);
  // Twice: the cosines with the CAVs come first.
  assert.deepEqual(new Set(taken.values()), new Set([2]));
  assert.equal(taken.size, features.shape[0]);
});

Deno.test("correctLastLayers() tells progress up to the end, and stops when it is told", async () => {
  const requests = all.map((correction) => request(correction));
  const seen: (readonly [number, number])[] = [];
  const onProgress = (done: number, total: number) => seen.push([done, total]);
  for await (const _ of correctLastLayers(problem, requests, { random, onProgress }));
  const total = 3 + reference.retrained.length * 5;
  assert.deepEqual(seen, Array.from({ length: total }, (_, i) => [i + 1, total]));
  const controller = new AbortController();
  const stopped = async () => {
    const { signal } = controller;
    const options = { random, signal, onProgress: () => controller.abort(new Error("enough")) };
    for await (const _ of correctLastLayers(problem, requests.slice(1, 2), options));
  };
  await assert.rejects(stopped, /enough/);
});
