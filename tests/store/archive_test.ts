import assert from "node:assert/strict";
import { join } from "node:path";
import { tarBytes, UserError } from "../../lib/files/mod.ts";
import {
  archiveOf,
  contentKey,
  importArchive,
  openStore,
  type Store,
  storedStages,
} from "../../lib/store/mod.ts";

const key = contentKey("features");
const world = { stage: "world", key: contentKey("world") };
const payload = new Uint8Array(3000).map((_, i) => i);

async function filledStore(): Promise<Store> {
  const store = openStore(await Deno.makeTempDir());
  await store.write({ stage: "features", key, part: "0" }, payload);
  await store.publishDirectory(world, async (path) => {
    await Deno.mkdir(join(path, "images"));
    await Deno.writeTextFile(join(path, "images", "a b é.txt"), "abc");
    await Deno.writeTextFile(join(path, "first"), "");
  });
  return store;
}

async function exported(store: Store): Promise<Uint8Array> {
  const stages = await Array.fromAsync(storedStages(store.root));
  const pieces = await Array.fromAsync(archiveOf(store.root, stages));
  return new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
}

async function* inPieces(bytes: Uint8Array, size = 700) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

Deno.test("importArchive() publishes in another store what archiveOf() wrote", async () => {
  const archive = await exported(await filledStore());
  const other = openStore(await Deno.makeTempDir());
  for (let time = 0; time < 2; time++) await importArchive(other.root, inPieces(archive));
  assert.deepEqual(await other.read({ stage: "features", key, part: "0" }), payload);
  const { path } = (await other.openDirectory(world))!;
  assert.equal(await Deno.readTextFile(join(path, "images", "a b é.txt")), "abc");
  assert.deepEqual(await exported(other), archive);
});

Deno.test("importArchive() refuses a flipped bit in any file, and publishes no such file", async () => {
  const store = await filledStore();
  const archive = await exported(store);
  // Bodies of the part, of the folder's record and of a file in it; headers have a checksum.
  const starts = ["\x00\x01\x02\x03\x04", '{"checksum"', "abc"].map((text) => {
    const marker = new TextEncoder().encode(text);
    return archive.findIndex((_, at) => marker.every((byte, i) => archive[at + i] === byte));
  });
  assert.ok(starts.every((at) => at > 0));
  for (const at of starts) {
    const flipped = archive.slice();
    flipped[at]! ^= 1;
    const other = openStore(await Deno.makeTempDir());
    await assert.rejects(importArchive(other.root, inPieces(flipped)), UserError, `byte ${at}`);
    for await (const { stage, key: found } of storedStages(other.root)) {
      const ref = { stage, key: found };
      const isSound = stage === "world"
        ? await other.openDirectory(ref)
        : await other.read({ ...ref, part: "0" });
      assert.notEqual(isSound, undefined);
    }
  }
});

Deno.test("importArchive() refuses an archive that is cut off anywhere", async () => {
  const archive = await exported(await filledStore());
  for (const length of [100, 600, 2000, archive.length - 1600]) {
    const { root } = openStore(await Deno.makeTempDir());
    await assert.rejects(importArchive(root, inPieces(archive.subarray(0, length))), UserError);
  }
});

Deno.test("importArchive() refuses paths that lead out of the store, and what is no file of one", async () => {
  const inside = `features/${key.slice(0, 2)}/${key}`;
  const hostile = [
    "../outside",
    "/etc/passwd",
    `features/zz/${key}`,
    `features/${key.slice(0, 2)}/../../../outside`,
    `${inside}/../../../../outside`,
    `${inside}/a\\b`,
    `${inside}/.writing-x`,
    `${inside.replace("features", "Features")}`,
    `world/${world.key.slice(0, 2)}/${world.key}/.files.json`,
    "",
  ];
  for (const name of hostile) {
    const root = await Deno.makeTempDir();
    const body = new TextEncoder().encode("hostile");
    const files = async function* () {
      yield { name, size: body.length, body: inPieces(body) };
    };
    await assert.rejects(
      importArchive(join(root, "store"), tarBytes(files())),
      { name: "UserError", message: /archive of a store is damaged or none/ },
      name,
    );
    assert.deepEqual([...Deno.readDirSync(root)].filter((entry) => entry.name !== "store"), []);
  }
});
