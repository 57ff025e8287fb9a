import assert from "node:assert/strict";
import { join } from "node:path";
import {
  bytesOf,
  contentKey,
  damagedPaths,
  openStore,
  removePaths,
  stagesToRemove,
  type Store,
  type StoredStage,
  storedStages,
} from "../../lib/store/mod.ts";

const [parts, whole, folder] = [1, 2, 3].map((n) => contentKey(n)) as [string, string, string];
const record = {
  host: "a",
  cpu: "b",
  started: "2026-01-02T03:04:05.000Z",
  seconds: 60,
  peakMemoryBytes: 7,
  remarks: [],
};

/** A store with a stage of two parts, one of a file and one of a folder, each with its record. */
async function filledStore(): Promise<Store> {
  const store = openStore(await Deno.makeTempDir());
  await store.write({ stage: "features", key: parts, part: "0" }, new Uint8Array(100));
  await store.write({ stage: "features", key: parts, part: "1" }, new Uint8Array(50));
  await store.write({ stage: "cavs", key: whole }, new Uint8Array(10));
  const world = { stage: "world", key: folder };
  await store.publishDirectory(world, async (path) => {
    await Deno.mkdir(join(path, "images"));
    await Deno.writeTextFile(join(path, "images", "a.txt"), "abc");
  });
  await store.writeRecord({ stage: "features", key: parts }, record);
  await store.writeRecord({ stage: "cavs", key: whole }, record);
  await Deno.writeTextFile(join(store.root, "cavs", whole.slice(0, 2), ".writing-x"), "half");
  await Deno.mkdir(join(store.root, "digests"));
  await Deno.writeTextFile(join(store.root, "digests", "memory"), "of files");
  return store;
}

const at = (stage: string, key: string, rest = "") => `${stage}/${key.slice(0, 2)}/${key}${rest}`;

Deno.test("storedStages() lists each stage with its artifacts and record, and nothing else", async () => {
  const store = await filledStore();
  const stages = await Array.fromAsync(storedStages(store.root));
  const size = JSON.stringify(record).length + 32;
  assert.deepEqual(stages.map(({ stage, key, paths }) => [stage, key, paths]), [
    ["cavs", whole, [at("cavs", whole), at("cavs", whole, ".record")]],
    [
      "features",
      parts,
      [at("features", parts, "/0"), at("features", parts, "/1"), at("features", parts, ".record")],
    ],
    ["world", folder, [at("world", folder)]],
  ]);
  const [cavs, features] = stages;
  assert.equal(cavs!.bytes, 32 + 10 + size);
  assert.equal(features!.bytes, 32 + 100 + 32 + 50 + size);
});

Deno.test("damagedPaths() finds a flipped bit wherever it is", async () => {
  const store = await filledStore();
  const stages = await Array.fromAsync(storedStages(store.root));
  for (const stage of stages) {
    assert.deepEqual(await damagedPaths(store.root, stage), []);
    for (const path of stage.paths) {
      const file = join(store.root, path, stage.stage === "world" ? "images/a.txt" : "");
      const sound = await Deno.readFile(file);
      for (const bit of [0, sound.length * 4, sound.length * 8 - 1]) {
        const flipped = sound.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        await Deno.writeFile(file, flipped);
        assert.deepEqual(await damagedPaths(store.root, stage), [path], `bit ${bit} of ${path}`);
      }
      await Deno.writeFile(file, sound);
    }
  }
});

Deno.test("removePaths() removes a stage whole, and minds none that is gone", async () => {
  const store = await filledStore();
  for await (const { stage, key, paths } of storedStages(store.root)) {
    await removePaths(store.root, paths);
    await removePaths(store.root, paths);
    assert.equal(await store.readRecord({ stage, key }), undefined);
  }
  assert.deepEqual(await Array.fromAsync(storedStages(store.root)), []);
});

/** Stages of 10, 20, 30 and 40 bytes that were written in the seconds 1 to 4. */
const aged = [3, 1, 4, 2].map((second): StoredStage => ({
  stage: "cavs",
  key: String(second),
  paths: [],
  bytes: 10 * second,
  written: new Date(1000 * second),
}));
const none: ReadonlySet<string> = new Set();

Deno.test("stagesToRemove() chooses by reachability, age and size, the oldest first", () => {
  const chosen = (options: Partial<Parameters<typeof stagesToRemove>[1]>) =>
    stagesToRemove(aged, { kept: none, before: Infinity, ...options }).map(({ key }) => key);
  assert.equal(bytesOf(aged), 100);
  assert.deepEqual(chosen({}), ["1", "2", "3", "4"]);
  assert.deepEqual(chosen({ kept: new Set(["2", "4"]) }), ["1", "3"]);
  assert.deepEqual(chosen({ before: 3000 }), ["1", "2"]);
  // 100 bytes shall become 75: 10 are too few, 10 + 20 suffice.
  assert.deepEqual(chosen({ maxBytes: 75 }), ["1", "2"]);
  assert.deepEqual(chosen({ maxBytes: 75, kept: new Set(["1"]) }), ["2", "3"]);
  assert.deepEqual(chosen({ maxBytes: 100 }), []);
});
