import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../lib/files/mod.ts";
import {
  buildPlan,
  closure,
  isStored,
  type Job,
  missingNodes,
  type Plan,
  readPlanFile,
  refOf,
  requireKeys,
  runJob,
  runPlan,
  splitPlan,
  stillMissing,
  targetsOf,
  writePlanFile,
} from "../../lib/pipeline/mod.ts";
import { openDigests, openStore, type Store, storedStages } from "../../lib/store/mod.ts";
import { edit, miniRoot } from "../cli/_mini_root.ts";

const root = await miniRoot();
await edit(join(root, "experiments", "base", "concept_quality.json"), ({ factors }) => {
  factors.method = ["original_cav", "lg_cav"];
});
const storeOf = (name: string) => openStore(join(root, name));
const plan: Plan = await buildPlan(
  { root, profile: "world", experiments: ["table2"], engine: "ort", device: "cpu" },
  { digests: openDigests(join(root, "digests")) },
);
const targets = targetsOf(plan.experiments);
const speeds = { products: 1e9, rendering: 1e-3, reading: 1e-3, models: [] };
const events = {
  onStart: () => {},
  onProgress: () => {},
  onDone: () => {},
  onCorrupt: () => {},
  onDiffers: (path: string) => assert.fail(`${path} differs`),
  onCompared: () => {},
};
const signal = new AbortController().signal;
const running = (store: Store) => ({
  ...plan,
  store,
  device: "cpu" as const,
  jobs: 1,
  events,
  signal,
});

/** The plan cut so finely that every stage of blocks is in slices. */
async function cut(store: Store, maxTasks = 1000) {
  const missing = await missingNodes(plan.graph, targets, { store });
  return splitPlan(missing, { speeds, maxTasks, secondsPerTask: 1 });
}

const namesOf = (jobs: readonly Job[]) =>
  jobs.flatMap(({ keys, slice }) => keys.map((key) => `${key} ${slice?.index}/${slice?.count}`));

Deno.test("splitPlan() has every stage once, after all that it needs", async () => {
  for (const maxTasks of [1000, 2, 1]) {
    const arrays = await cut(storeOf("empty"), maxTasks);
    const done = new Set<string>();
    for (const { tasks } of arrays) {
      assert.ok(tasks.length <= maxTasks);
      const jobs = tasks.flat();
      for (const { keys, slice } of jobs) {
        for (const key of keys) {
          for (const need of Object.values(plan.graph.get(key)!.needs)) {
            assert.ok(done.has(need), `${plan.graph.get(key)!.id} in slice ${slice?.index}`);
          }
        }
      }
      for (const { keys, slice } of jobs) {
        if (slice !== undefined) continue;
        for (const key of keys) {
          assert.equal(done.has(key), false);
          done.add(key);
        }
      }
    }
    assert.deepEqual([...done].sort(), closure(plan.graph, targets).map(({ key }) => key).sort());
    const all = namesOf(arrays.flatMap(({ tasks }) => tasks.flat()));
    assert.equal(new Set(all).size, all.length);
  }
});

Deno.test("splitPlan() cuts a stage of blocks into slices, which an array before its end computes", async () => {
  const arrays = await cut(storeOf("empty"));
  const place = (wanted: (job: Job) => boolean) =>
    arrays.findIndex(({ tasks }) => tasks.flat().some(wanted));
  const sliced = arrays.flatMap(({ tasks }) => tasks.flat()).filter(({ slice }) => slice);
  assert.ok(sliced.length > 0);
  for (const { keys, slice } of sliced) {
    const [key] = keys;
    const end = place((job) => job.slice === undefined && job.keys.includes(key!));
    assert.ok(place((job) => job.slice?.index === slice!.index && job.keys.includes(key!)) < end);
    const last = arrays[end]!.tasks.flat().find((job) => job.keys.includes(key!))!;
    assert.equal(last.finishes, slice!.count);
  }
});

Deno.test("runJob() of every slice in any order gives the bytes of the whole, and what they took", async () => {
  const [whole, parts] = [storeOf("whole"), storeOf("parts")];
  await runPlan({ ...running(whole), targets });
  for (const { tasks } of await cut(parts)) {
    const jobs = tasks.flat();
    const plain = jobs.filter(({ slice, finishes }) => !slice && !finishes);
    if (plain.length > 0) {
      await runPlan({ ...running(parts), targets: plain.flatMap(({ keys }) => keys) });
    }
    const inSlices = jobs.filter((job) => !plain.includes(job)).toReversed();
    for (const job of inSlices) await runJob(job, running(parts));
  }
  const missing = { request: plan.request, arrays: await cut(storeOf("empty")) };
  assert.deepEqual(await stillMissing(plan, missing, { store: parts }), []);
  for (const node of closure(plan.graph, targets)) {
    assert.ok(await isStored(node, parts), node.id);
    assert.ok((await parts.readRecord(refOf(node)))!.seconds >= 0);
  }
  const artifacts = async (store: Store) => {
    const paths = (await Array.fromAsync(storedStages(store.root))).flatMap(({ paths }) => paths);
    const kept = paths.filter((path) => !path.endsWith(".record") && !path.startsWith("world/"));
    return await Promise.all(
      kept.map(async (path) => [path, await Deno.readFile(join(store.root, path))] as const),
    );
  };
  assert.deepEqual(await artifacts(parts), await artifacts(whole));
});

Deno.test("runJob() refuses when a need was not computed, requireKeys() when it would be another", async () => {
  const [first, ...others] = (await cut(storeOf("empty"))).map(({ tasks }) => tasks.flat()[0]!);
  assert.ok(first);
  await assert.rejects(
    runJob(others.at(-1)!, running(storeOf("empty"))),
    { name: "UserError", message: /needs ".*", which was not computed\./ },
  );
  requireKeys(plan, first);
  assert.throws(() => requireKeys(plan, { keys: ["0".repeat(64)] }), UserError);
});

Deno.test("readPlanFile() reads what writePlanFile() wrote, and refuses what is none", async () => {
  const path = join(root, "plan.json");
  const arrays = await cut(storeOf("empty"));
  await writePlanFile(path, { request: plan.request, arrays });
  const read = await readPlanFile(path);
  assert.deepEqual(JSON.parse(JSON.stringify(read.arrays)), JSON.parse(JSON.stringify(arrays)));
  const { root: _, ...request } = plan.request;
  assert.deepEqual(read.request, JSON.parse(JSON.stringify(request)));
  await Deno.truncate(path, 100);
  await assert.rejects(readPlanFile(path), { name: "UserError", message: /is no plan of stages/ });
  await assert.rejects(readPlanFile(`${path}.x`), { name: "UserError", message: /There is no/ });
});
