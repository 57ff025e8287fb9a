import assert from "node:assert/strict";
import { featureRows } from "../../lib/activations/mod.ts";
import { trainConceptLayer } from "../../lib/correction/_concept_layer.ts";
import { openSessions } from "../../lib/correction/_sessions.ts";
import { correctLastLayers } from "../../lib/correction/mod.ts";
import { fitSparseLayer } from "../../lib/correction/saga.ts";
import { cosine, createRandom, normaliseRows, row, takeRows } from "../../lib/tensor/mod.ts";
import { matrix, readFixture, readReference, relativeDifference } from "./_reference.ts";

const reference = await readReference();
const { problem, seed } = reference;
const random = createRandom(1);
const { images, texts } = problem.concepts!;
const indices = Array.from({ length: images.shape[0] }, (_, i) => i);
const features = await problem.features.take(indices);
const views = await images.take(indices);

for (
  const { hyperparameters, conceptLayer, similarities, steps, ...expected } of reference.bottlenecks
) {
  const batch = hyperparameters.batchSize;

  Deno.test(`trainConceptLayer() trains as PyTorch's autograd and Adam, ${batch} images a step`, async () => {
    const sessions = openSessions({ device: "cpu" });
    // The five highest cosines by their definition, concept by concept.
    const seen = Array.from({ length: texts.shape[0]! }, (_, concept) => {
      const cosines = indices.map((image) => cosine(row(texts, concept), row(views, image)));
      return cosines.sort((a, b) => b - a).slice(0, 5).reduce((sum, value) => sum + value / 5, 0);
    });
    const kept = [...seen.keys()].filter((i) => seen[i]! > hyperparameters.activationCutoff);
    assert.ok(kept.length < seen.length, "a concept goes by its activations");
    const layer = await trainConceptLayer(
      {
        features: problem.features,
        views: featureRows(normaliseRows(views)),
        texts: normaliseRows(takeRows(texts, kept)),
      },
      {
        settings: hyperparameters,
        random: random.split("label_free_cbm").split(seed).split("concepts"),
        sessions,
      },
    );
    await sessions.close();
    assert.equal(layer.steps, steps);
    const differences = [
      relativeDifference(layer.weight.data, conceptLayer.flat()),
      relativeDifference(layer.similarities, similarities),
    ];
    assert.ok(differences.every((difference) => difference < 1e-4), `${differences}`);
  });

  Deno.test(`correctLastLayers() makes the bottleneck of PyTorch and scikit-learn, ${batch} images a step`, async () => {
    const correction = {
      id: "label_free_cbm",
      title: "",
      base: "label_free_cbm",
      hyperparameters,
    } as const;
    const [layer] = await Array.fromAsync(
      correctLastLayers(problem, [{ correction, seed }], { random }),
    );
    const { weight, bias, diagnostics } = layer!;
    const logits = indices.map((image) =>
      Array.from(
        bias.data,
        (b, k) => row(weight, k).reduce((sum, w, j) => sum + w * row(features, image)[j]!, b),
      )
    );
    const difference = relativeDifference(logits.flat(), expected.logits.flat());
    assert.ok(difference < 2e-3, `${difference}`);
    assert.equal(diagnostics.concepts, expected.concepts);
    assert.equal(diagnostics.conceptSteps, steps);
    assert.equal(diagnostics.nonZeroShare, expected.nonZeroShare);
    const kept = similarities.filter((value) => value > hyperparameters.similarityCutoff);
    const mean = kept.reduce((sum, value) => sum + value, 0) / kept.length;
    assert.ok(Math.abs(diagnostics.conceptSimilarity! - mean) < 1e-4);
  });
}

const saga = { sagaStepSize: 0.3, sagaBatchSize: 32, sagaSteps: 1e6, sagaTolerance: 0 };

Deno.test("fitSparseLayer() finds scikit-learn's elastic net", async () => {
  const { features, labels, penalty, l1Share, weight, bias } = await readFixture(
    "sparse_layer.json",
  );
  const fit = async (epochs: number, limits = {}) => {
    const sessions = openSessions({ device: "cpu" });
    const layer = await fitSparseLayer(
      { features: featureRows(matrix(features)), labels: Int32Array.from(labels), classes: 4 },
      {
        penalty,
        l1Share,
        ...saga,
        sagaEpochs: epochs,
        ...limits,
        random,
        sessions,
      },
    );
    await sessions.close();
    return [...layer.weight.data, ...layer.bias.data];
  };
  const expected = [...weight.flat(), ...bias];
  const difference = relativeDifference(await fit(400), expected);
  assert.ok(difference < 1e-5, `${difference}`);
  // Ten steps an epoch: the second ends at twenty, not at eleven.
  assert.deepEqual(await fit(400, { sagaSteps: 11 }), await fit(2));
  const zeros = (values: readonly number[]) => values.map((value) => value === 0);
  assert.deepEqual(zeros(await fit(400)), zeros(expected), "the same weights are 0");
  assert.ok(relativeDifference(await fit(3), expected) > 1e-2, "few epochs are not enough");
});

Deno.test("fitSparseLayer() remembers what it saw, in float32 or in bytes", async () => {
  const { features, labels, penalty, l1Share, weight, bias } = await readFixture(
    "sparse_layer.json",
  );
  const sessions = openSessions({ device: "cpu" });
  const fit = (exactResiduals: number) =>
    fitSparseLayer(
      { features: featureRows(matrix(features)), labels: Int32Array.from(labels), classes: 4 },
      {
        penalty,
        l1Share,
        ...saga,
        sagaEpochs: 300,
        random,
        sessions,
        exactResiduals,
      },
    );
  const [exact, inBytes] = [await fit(1200), await fit(1199)];
  await sessions.close();
  const expected = [...weight.flat(), ...bias];
  const differences = [exact, inBytes].map(({ weight, bias }) =>
    relativeDifference([...weight.data, ...bias.data], expected)
  );
  assert.ok(differences[0]! < 1e-5 && differences[1]! > differences[0]!, `${differences}`);
  assert.ok(differences[1]! < 2e-3, `${differences}`);
});

Deno.test("fitSparseLayer() says in which epoch it diverged", async () => {
  const { features, labels } = await readFixture("sparse_layer.json");
  const { shape, data } = matrix(features);
  const huge = { shape, data: data.map((value) => value * 1e25) };
  const sessions = openSessions({ device: "cpu" });
  const options = { penalty: 0, l1Share: 0, sagaEpochs: 3, ...saga };
  const problem = { features: featureRows(huge), labels: Int32Array.from(labels), classes: 4 };
  await assert.rejects(
    fitSparseLayer(problem, { ...options, random, sessions }),
    /^UserError: Fitting a sparse last layer diverged in epoch 1: .* Lower its step size, now 0.3\.$/,
  );
  await sessions.close();
});
