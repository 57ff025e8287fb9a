import assert from "node:assert/strict";
import { featureRows } from "../../lib/activations/mod.ts";
import { type CavProblem, type CavSet, openEngine, trainCavs } from "../../lib/cav/mod.ts";
import { loadConfig, type Method, methodSchema, plain } from "../../lib/config/mod.ts";
import { allRows } from "../../lib/activations/mod.ts";
import { createRandom, tensor } from "../../lib/tensor/mod.ts";
import { readReference } from "./_reference.ts";

const { problem } = await readReference("methods.json");
const read = async (id: string): Promise<Method> =>
  plain(await loadConfig(`configs/methods/${id}.json`, methodSchema));
const [words, shuffled, full] = [
  await read("random_words"),
  await read("shuffled_activations"),
  await read("lg_cav+ga+ce"),
];

async function train(problem: CavProblem, ...methods: Method[]): Promise<CavSet> {
  const engine = await openEngine("ort", { device: "cpu" });
  try {
    return await trainCavs(problem, methods, { engine, random: createRandom("controls") });
  } finally {
    await engine.close();
  }
}

const withoutLabels = (problem: CavProblem): CavProblem => ({
  ...problem,
  concepts: problem.concepts.map((concept) => ({ ...concept, positives: [], negatives: [] })),
});

Deno.test("trainCavs() shows controls of language no labelled image", async () => {
  for (const method of [words, shuffled]) {
    const labelled = await train(problem, method, full);
    const alone = await train(withoutLabels(problem), method);
    const count = alone.vectors.data.length;
    assert.deepEqual(labelled.vectors.data.subarray(0, count), alone.vectors.data, method.id);
    const thresholds = labelled.thresholds.data.subarray(0, alone.thresholds.data.length);
    assert.deepEqual(thresholds, alone.thresholds.data, method.id);
  }
});

Deno.test("trainCavs() of random words is the full LG-CAV without labels, whose text the words are", async () => {
  const ofWords = await train(withoutLabels(problem), words);
  assert.deepEqual(ofWords.vectors, (await train(withoutLabels(problem), full)).vectors);
});

Deno.test("trainCavs() of shuffled activations takes the same targets in another order", async () => {
  const some = withoutLabels(problem);
  const [ofShuffled, ofFull] = [await train(some, shuffled), await train(some, full)];
  assert.notDeepEqual(ofShuffled.vectors, ofFull.vectors);
  // Where all probes have one activation, no order differs from another.
  const vl = await allRows(problem.vlFeatures);
  const alike = tensor(vl.shape, vl.data.map((_, i) => vl.data[i % vl.shape[1]!]!));
  const constant = { ...some, vlFeatures: featureRows(alike) };
  const plain = { ...full, parts: ["ce"] } as Method;
  const control = { ...shuffled, parts: ["ce"] } as Method;
  assert.deepEqual(
    (await train(constant, control)).vectors,
    (await train(constant, plain)).vectors,
  );
});
