import assert from "node:assert/strict";
import { join } from "node:path";
import { StorageError } from "../../lib/files/mod.ts";
import { contentKey, openStore, serverTime, unlessMissing } from "../../lib/store/mod.ts";

const ref = { stage: "features", key: contentKey(1) };
const storeModule = new URL("../../lib/store/mod.ts", import.meta.url).href;

Deno.test("store.removeUnfinished() tells ages by the file server's clock, not by ours", async () => {
  const { now } = Date;
  const store = openStore(await Deno.makeTempDir());
  await store.write(ref, new Uint8Array(1));
  const left = join(store.root, ".writing-elsewhere");
  await Deno.writeTextFile(left, "half");
  const isLeft = () => Deno.lstat(left).then(() => true, () => false);
  const day = 86_400_000;
  try {
    for (const off of [2 * day, -2 * day]) {
      Date.now = () => now() + off;
      await store.removeUnfinished({ milliseconds: day });
      assert.equal(await isLeft(), true, `our clock is off by ${off / day} days`);
    }
    await Deno.utime(left, new Date(now() - 2 * day), new Date(now() - 2 * day));
    Date.now = () => now() - 2 * day;
    await store.removeUnfinished({ milliseconds: day });
    assert.equal(await isLeft(), false);
  } finally {
    Date.now = now;
  }
});

Deno.test("serverTime() is that of a file written now, and leaves none", async () => {
  const folder = await Deno.makeTempDir();
  const file = join(folder, "now");
  await Deno.writeTextFile(file, "");
  const written = (await Deno.stat(file)).mtime!.getTime();
  const time = await serverTime(folder);
  assert.ok(time >= written && time < written + 60_000, `${time} after ${written}`);
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["now"]);
});

Deno.test("unlessMissing() believes a miss only when the folder does not list the name", async () => {
  const root = await Deno.makeTempDir();
  await Deno.mkdir(join(root, "a"));
  await Deno.writeTextFile(join(root, "a", "there"), "x");
  const asked: string[] = [];
  // As a network file system whose memory says at first that a file is missing.
  const operation = (path: string) => {
    asked.push(path);
    return asked.length === 1
      ? Promise.reject(new Deno.errors.NotFound())
      : Deno.readTextFile(path);
  };
  assert.equal(await unlessMissing(join(root, "a", "there"), { root, operation }), "x");
  assert.equal(asked.length, 2);
  for (const path of ["a/missing", "missing", "missing/too"]) {
    const missing = { root, operation: Deno.readTextFile };
    assert.equal(await unlessMissing(join(root, path), missing), undefined);
  }
  await assert.rejects(
    unlessMissing(join(root, "a"), {
      root,
      operation: () => Promise.reject(new Deno.errors.PermissionDenied("no")),
    }),
    Deno.errors.PermissionDenied,
  );
});

Deno.test("store.write() tells of other bytes than those that are there, and keeps these", async () => {
  const differing: (readonly [string, unknown])[] = [];
  const store = openStore(await Deno.makeTempDir(), {
    onDiffers: (path, there) => differing.push([path, there?.host]),
  });
  const record = { cpu: "b", started: "", seconds: 1, peakMemoryBytes: 7, remarks: [] };
  await store.write(ref, new Uint8Array([1]));
  await store.writeRecord(ref, { ...record, host: "a" });
  await store.write(ref, new Uint8Array([1]));
  assert.deepEqual(differing, []);
  await store.write(ref, new Uint8Array([2]));
  const path = join(store.root, ref.stage, ref.key.slice(0, 2), ref.key);
  assert.deepEqual(differing, [[path, "a"]]);
  assert.deepEqual(await store.read(ref), new Uint8Array([1]));
});

Deno.test("store.write() replaces an artifact that is damaged", async () => {
  const store = openStore(await Deno.makeTempDir());
  await store.write(ref, new Uint8Array([1]));
  await Deno.truncate(join(store.root, ref.stage, ref.key.slice(0, 2), ref.key), 32);
  await store.write(ref, new Uint8Array([2]));
  assert.deepEqual(await store.read(ref), new Uint8Array([2]));
});

/** Holds a lock in another process until it is killed. */
const holder = (root: string) => `
  import { openStore } from ${JSON.stringify(storeModule)};
  const lock = await openStore(${JSON.stringify(root)}).lock("group");
  console.log("held");
  await new Promise((resolve) => setTimeout(resolve, 60_000));
`;

Deno.test("store.lock() waits for another process, and for no killed one", async () => {
  const store = openStore(await Deno.makeTempDir());
  const script = `${await Deno.makeTempDir()}/holder.ts`;
  await Deno.writeTextFile(script, holder(store.root));
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-all", script],
    stdout: "piped",
  }).spawn();
  const output = process.stdout.getReader();
  try {
    await output.read();
    let isHeld = true;
    const locked = store.lock("group").then((lock) => {
      assert.equal(isHeld, false, "before the other process ended");
      return lock;
    });
    using other = await store.lock("another group");
    assert.equal(other.waited, false);
    isHeld = false;
    process.kill("SIGKILL");
    await process.status;
    using lock = await locked;
    assert.equal(lock.waited, true);
  } finally {
    await output.cancel();
  }
  using again = await store.lock("group");
  assert.equal(again.waited, false);
});

Deno.test("store.lock() of a store that cannot be written is one sentence", async () => {
  const root = await Deno.makeTempDir();
  await Deno.writeTextFile(join(root, ".locks"), "a file");
  await assert.rejects(openStore(root).lock("group"), StorageError);
});
