import assert from "node:assert/strict";
import { join } from "node:path";
import { allRows } from "../../lib/activations/mod.ts";
import { areaUnderRoc, benjaminiHochberg, empiricalPValue } from "../../lib/metrics/mod.ts";
import { buildPlan, loadValue, type Plan, runPlan, targetsOf } from "../../lib/pipeline/mod.ts";
import type { Cavs, ClassGradients, Measurement } from "../../lib/pipeline/stages/mod.ts";
import { UserError } from "../../lib/files/mod.ts";
import { openDigests, openStore } from "../../lib/store/mod.ts";
import { cosine, row } from "../../lib/tensor/mod.ts";
import { miniRoot } from "../cli/_mini_root.ts";

const root = await miniRoot();
const storeRoot = join(root, ".cache");
const controls = ["random_cav", "random_words", "shuffled_activations"];
const assumed = (value: unknown) => ({ value, source: "assumed", why: "A test." });
await Deno.writeTextFile(
  join(root, "experiments", "controlled.json"),
  JSON.stringify({
    extends: "base/concept_quality.json",
    id: "controlled",
    title: "Controlled",
    factors: { method: ["original_cav", "lg_cav"] },
    measures: ["concept_to_class_accuracy", "specificity", "stability", "concept_overlap"],
    show: { as: "table", rows: "method", columns: "measure" },
    // A rate at which some pairs of the small world are significant and some are not.
    settings: { controls: assumed(controls), falseDiscoveryRate: assumed(0.6) },
  }),
);

const plan = (seeds?: readonly number[]): Promise<Plan> =>
  buildPlan(
    { root, profile: "world", experiments: ["controlled"], seeds, engine: "ort", device: "cpu" },
    { digests: openDigests(storeRoot) },
  );
const store = openStore(storeRoot);

/** The value of the one stage of an id. */
async function valueOf<T>({ graph }: Plan, id: string): Promise<T> {
  const [node, ...others] = [...graph.values()].filter((stage) => stage.id === id);
  assert.ok(node !== undefined && others.length === 0, id);
  return await loadValue(node, store) as T;
}

const both = await plan();
await runPlan({
  graph: both.graph,
  targets: targetsOf(both.experiments),
  store,
  device: "cpu",
  jobs: 2,
  signal: new AbortController().signal,
  events: {
    onStart: () => {},
    onProgress: () => {},
    onDone: () => {},
    onCorrupt: () => {},
    onDiffers: () => {},
    onCompared: () => {},
  },
});
const { concepts } = await valueOf<{ concepts: { name: string }[] }>(both, "concepts broden");
const vectorsOf = async (method: string, seed: number) => {
  const { vectors } = await valueOf<Cavs>(both, `cavs resnet18 ${method} seed ${seed}`);
  return await allRows(vectors);
};
const last = await valueOf<ClassGradients>(both, "last layer resnet18");
const weights = await allRows(last.gradients);
const similarity = (vector: Float32Array, name: string) =>
  100 * cosine(vector, row(weights, last.classes.indexOf(name)));
const measured = (measure: string, seed = 0) =>
  valueOf<Measurement[]>(both, `${measure} of cavs resnet18 lg_cav seed ${seed}`);

Deno.test("significant_pairs holds each pair against controls of all kinds, concepts and seeds of its class", async () => {
  const pairs = await measured("concept_to_class_accuracy");
  const ofControls = await Promise.all(
    controls.flatMap((method) => [0, 1].map((seed) => vectorsOf(method, seed))),
  );
  const pValues = pairs.map(({ class: name, value }) => {
    const values = ofControls.flatMap((vectors) =>
      concepts.map((_, index) => similarity(row(vectors, index), name))
    );
    assert.equal(values.length, 3 * 2 * concepts.length);
    return empiricalPValue(value, values.sort((a, b) => a - b));
  });
  const expected = benjaminiHochberg(pValues).map((p) => p <= 0.6 ? 100 : 0);
  const found = await measured("significant_pairs");
  assert.deepEqual(found.map(({ value }) => value), expected);
  assert.deepEqual(new Set(expected), new Set([0, 100]));
  assert.deepEqual(found.map(({ concept }) => concept), pairs.map(({ concept }) => concept));
});

Deno.test("specificity ranks a concept's own classes among all classes", async () => {
  const pairs = await measured("concept_to_class_accuracy");
  const vectors = await vectorsOf("lg_cav", 0);
  for (const { concept, value } of await measured("specificity")) {
    const own = pairs.filter((pair) => pair.concept === concept).map((pair) => pair.class);
    const vector = row(vectors, concepts.findIndex(({ name }) => name === concept));
    const scores = (names: readonly string[]) => names.map((name) => similarity(vector, name));
    const positives = scores(own);
    const negatives = scores(last.classes.filter((name) => !own.includes(name)));
    assert.equal(value, 100 * areaUnderRoc({ positives, negatives }), concept);
  }
});

Deno.test("stability and concept_overlap hold a CAV against those of the other seed, and of the other concepts", async () => {
  const [first, second] = [await vectorsOf("lg_cav", 0), await vectorsOf("lg_cav", 1)];
  const [angles, overlaps] = [await measured("stability"), await measured("concept_overlap")];
  assert.equal(angles.length, concepts.length);
  concepts.forEach(({ name }, index) => {
    const own = row(first, index);
    const degrees = Math.acos(cosine(own, row(second, index))) * 180 / Math.PI;
    assert.ok(Math.abs(angles[index]!.value - degrees) < 1e-6, name);
    const others = concepts.flatMap((_, other) =>
      other === index ? [] : [Math.abs(cosine(own, row(first, other)))]
    );
    const overlap = 100 * others.reduce((sum, x) => sum + x, 0) / others.length;
    assert.ok(Math.abs(overlaps[index]!.value - overlap) < 1e-9, name);
  });
  // An angle is of two seeds, so each has the same.
  assert.deepEqual(
    (await measured("stability", 1)).map(({ value }) => value),
    angles.map(({ value }) => value),
  );
});

Deno.test("controls of language need no labelled image, and random words are drawn by the seed", () => {
  const nodes = [...both.graph.values()];
  const nodeOf = (id: string) => nodes.find((node) => node.id === id)!;
  for (const seed of [0, 1]) {
    for (const method of ["random_words", "shuffled_activations"]) {
      assert.equal(nodeOf(`cavs resnet18 ${method} seed ${seed}`).needs["shots"], undefined);
    }
  }
  const needOf = (method: string, role: string) =>
    [0, 1].map((seed) => nodeOf(`cavs resnet18 ${method} seed ${seed}`).needs[role]);
  for (const role of ["text", "probes"]) {
    const [first, second] = needOf("random_words", role);
    assert.notEqual(first, second, role);
    assert.deepEqual(needOf("shuffled_activations", role), needOf("lg_cav", role));
  }
});

Deno.test("a further seed renews what looks at several seeds, and keeps every CAV and value of controls", async () => {
  const more = await plan([0, 1, 2]);
  const lost = [...both.graph.values()].filter(({ key }) => !more.graph.has(key));
  assert.ok(lost.length > 0);
  for (const { id } of lost) assert.match(id, /^(stability|significant_pairs) of /);
});

Deno.test("buildPlan() refuses the stability of one seed, and significance without controls", async () => {
  await assert.rejects(
    plan([0]),
    (error) => error instanceof UserError && /several seeds, and has one/.test(error.message),
  );
});
