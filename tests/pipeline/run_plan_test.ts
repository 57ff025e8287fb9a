import assert from "node:assert/strict";
import { join } from "node:path";
import {
  buildPlan,
  closure,
  loadValue,
  MissingNeed,
  missingNodes,
  type Plan,
  refOf,
  runPlan,
  type StageNode,
  targetsOf,
} from "../../lib/pipeline/mod.ts";
import { UserError } from "../../lib/files/mod.ts";
import { openDigests, openStore, type Store } from "../../lib/store/mod.ts";
import { edit, miniRoot } from "../cli/_mini_root.ts";

const root = await miniRoot();
const storeRoot = join(root, ".cache");
for (const [id, shots] of [["few", 3], ["more", 5]] as const) {
  await Deno.writeTextFile(
    join(root, "experiments", `${id}.json`),
    JSON.stringify({
      extends: "base/concept_quality.json",
      id,
      title: id,
      factors: { method: ["original_cav", "lg_cav"] },
      measures: ["concept_accuracy", "concept_to_class_accuracy"],
      show: { as: "table", rows: "method", columns: "measure" },
      settings: { shots: { value: shots, source: "assumed", why: "Few will do." } },
    }),
  );
}

function plan(experiments: readonly string[], seeds?: readonly number[]): Promise<Plan> {
  return buildPlan(
    { root, profile: "world", experiments, seeds, engine: "ort", device: "cpu" },
    { digests: openDigests(storeRoot) },
  );
}

interface Told {
  readonly started: string[][];
  readonly done: string[];
  readonly corrupt: string[];
  readonly differs: string[];
}

/** Runs a plan in two workers; what it told. */
async function run(
  { graph, experiments }: Plan,
  { signal = new AbortController().signal, damaged, store = openStore(storeRoot), onDone }: {
    signal?: AbortSignal;
    damaged?: ReadonlySet<string>;
    store?: Store;
    onDone?: () => void;
  } = {},
): Promise<Told> {
  const told: Told = { started: [], done: [], corrupt: [], differs: [] };
  const keys = (nodes: readonly StageNode[]) => nodes.map(({ key }) => key);
  await runPlan({
    graph,
    targets: targetsOf(experiments),
    ...(damaged && { damaged }),
    store,
    device: "cpu",
    jobs: 2,
    signal,
    events: {
      onStart: (nodes) => told.started.push(keys(nodes)),
      onProgress: () => {},
      onDone: (nodes) => {
        told.done.push(...keys(nodes));
        onDone?.();
      },
      onCorrupt: (path) => told.corrupt.push(path),
      onDiffers: (path) => told.differs.push(path),
      onCompared: () => {},
    },
  });
  return told;
}

/** Changes a byte of an artifact, or of a part of it. */
async function damage({ kind, key }: StageNode, part?: string): Promise<void> {
  const path = join(storeRoot, kind, key.slice(0, 2), key, ...(part ? [part] : []));
  const bytes = await Deno.readFile(path);
  bytes[bytes.length >> 1]! ^= 4;
  await Deno.writeFile(path, bytes);
}

function nodeOf({ graph }: Plan, id: RegExp): StageNode {
  return [...graph.values()].find((node) => id.test(node.id))!;
}

async function values({ experiments }: Plan): Promise<unknown[]> {
  const store = openStore(storeRoot);
  const found = [];
  for (const { cells } of experiments) {
    for (const { measurements } of cells) {
      for (const { stage } of measurements) found.push(await loadValue(stage, store));
    }
  }
  return found;
}

Deno.test("runPlan() computes every stage of two experiments that differ in shots in its workers, by key", async () => {
  const both = await plan(["few", "more"]);
  const nodes = closure(both.graph, targetsOf(both.experiments));
  const ids = new Set(nodes.map(({ id }) => id));
  const twice = [...ids].filter((id) => nodes.filter((node) => node.id === id).length > 1);
  assert.ok(twice.includes("cavs resnet18 lg_cav seed 0"), "one id with two keys");
  const { started, done, corrupt } = await run(both);
  assert.deepEqual(done.toSorted(), nodes.map(({ key }) => key).sort(), "each once");
  assert.deepEqual(started.flat().sort(), done.toSorted());
  assert.deepEqual(corrupt, []);
  const store = openStore(storeRoot);
  for (const node of nodes) {
    const record = await store.readRecord(refOf(node));
    assert.ok(record !== undefined && record.seconds >= 0, `${node.id} has a record of its worker`);
  }
  const cavs = nodes.filter(({ id }) => id === "cavs resnet18 lg_cav seed 0");
  const [few, more] = await Promise.all(
    cavs.map(async (node) => await loadValue(node, store) as { thresholds: Float32Array }),
  );
  assert.notDeepEqual(few!.thresholds, more!.thresholds);
  assert.deepEqual((await run(both)).started, [], "nothing the second time");
});

Deno.test("runPlan() gives the same values whatever was asked first", async () => {
  const together = await values(await plan(["few"]));
  for (const kind of ["cavs", "measure"]) {
    await Deno.remove(join(storeRoot, kind), { recursive: true });
  }
  await run(await plan(["few"], [1]));
  const few = await plan(["few"]);
  const { done } = await run(few);
  assert.ok(done.every((key) => / seed 0/.test(few.graph.get(key)!.id)), "seed 1 was there");
  assert.deepEqual(await values(few), together);
});

Deno.test("runPlan() computes a need again that turns out to be corrupt, and what was to come", async () => {
  const few = await plan(["few"]);
  const before = await values(few);
  const measure = nodeOf(few, /^concept_accuracy of cavs resnet18 lg_cav seed 0/);
  const cavs = nodeOf(few, /^cavs resnet18 lg_cav seed 0/);
  const features = nodeOf(few, /^features resnet18 broden/);
  for (const part of ["rows-00000000", "thresholds-0000", "complete"]) {
    await damage(cavs, part);
    await damage(features, "rows-00000000");
    const { done, corrupt } = await run(few, { damaged: new Set([measure.key]) });
    assert.deepEqual(done.toSorted(), [cavs.key, features.key, measure.key].sort(), part);
    assert.equal(new Set(corrupt).size, 2);
    assert.deepEqual(await values(few), before);
  }
});

Deno.test("loadValue() and missingNodes() tell of a corrupt measurement, which is computed again", async () => {
  const few = await plan(["few"]);
  const before = await values(few);
  const measure = nodeOf(few, /^concept_accuracy of cavs resnet18 original_cav seed 1/);
  await damage(measure);
  await assert.rejects(
    values(few),
    (error) => error instanceof MissingNeed && error.key === measure.key,
  );
  const store = openStore(storeRoot);
  const missing = await missingNodes(few.graph, targetsOf(few.experiments), { store });
  assert.deepEqual(missing.map(({ key }) => key), [measure.key]);
  assert.deepEqual((await run(few)).done, [measure.key]);
  assert.deepEqual(await values(few), before);
});

Deno.test("runPlan() starts nothing once aborted, and stops between stages with the signal's reason", async () => {
  const other = await plan(["few"], [7, 8]);
  await assert.rejects(run(other, { signal: AbortSignal.abort(new Error("stop")) }), /stop/);
  const store = openStore(storeRoot);
  const missing = () => missingNodes(other.graph, targetsOf(other.experiments), { store });
  const all = (await missing()).length;
  const controller = new AbortController();
  const onDone = () => controller.abort(new Error("enough"));
  await assert.rejects(run(other, { signal: controller.signal, onDone }), /enough/);
  const left = (await missing()).length;
  assert.ok(left > 0 && left < all, `${left} of ${all}`);
});

Deno.test("runPlan() throws a user's mistake of a worker as one", async () => {
  await edit(join(root, "experiments", "more.json"), (json) => json.settings.shots.value = 1000);
  await assert.rejects(
    run(await plan(["more"])),
    (error: Error) => error instanceof UserError && /1000 shots leave none/.test(error.message),
  );
});
