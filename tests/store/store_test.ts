import assert from "node:assert/strict";
import { join } from "node:path";
import { StorageError, walkFiles } from "../../lib/files/mod.ts";
import { canonicalJson, contentKey, openStore, type StageRecord } from "../../lib/store/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

const ref = { stage: "features", key: contentKey({ a: 1 }), part: "chunk-0" };
const storeModule = new URL("../../lib/store/mod.ts", import.meta.url).href;
const filesModule = new URL("../../lib/files/mod.ts", import.meta.url).href;
const bytes = new TextEncoder().encode("payload");

Deno.test("canonicalJson() ignores the order of keys and drops undefined", () => {
  assert.equal(canonicalJson({ b: [{ d: 1, c: 2 }], a: undefined }), '{"b":[{"c":2,"d":1}]}');
});

Deno.test("contentKey() is the SHA-256 of the canonical JSON", () => {
  // printf '{"a":1}' | sha256sum
  assert.equal(
    contentKey({ a: 1 }),
    "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862",
  );
});

Deno.test("store.read() returns what store.write() published, and undefined before", async () => {
  const store = openStore(await temporaryFolder());
  assert.equal(await store.read(ref), undefined);
  assert.equal(await store.has(ref), false);
  await store.write(ref, bytes);
  assert.deepEqual(await store.read(ref), bytes);
  assert.equal(await store.has(ref), true);
});

Deno.test("store.read() removes an artifact whose bytes changed, and says so", async () => {
  const corrupt: string[] = [];
  const store = openStore(await temporaryFolder(), { onCorrupt: (path) => corrupt.push(path) });
  await store.write(ref, bytes);
  const path = join(store.root, ref.stage, ref.key.slice(0, 2), ref.key, ref.part);
  const file = await Deno.readFile(path);
  file[file.length - 1]! ^= 1;
  await Deno.writeFile(path, file);
  assert.equal(await store.read(ref), undefined);
  assert.deepEqual(corrupt, [path]);
  assert.equal(await store.has(ref), false);
});

Deno.test("store.read() takes a truncated artifact for corrupt", async () => {
  const corrupt: string[] = [];
  const store = openStore(await temporaryFolder(), { onCorrupt: (path) => corrupt.push(path) });
  await store.write(ref, bytes);
  const path = join(store.root, ref.stage, ref.key.slice(0, 2), ref.key, ref.part);
  for (const length of [0, 10, 35]) {
    await store.write(ref, bytes);
    await Deno.truncate(path, length);
    assert.equal(await store.read(ref), undefined, `truncated to ${length} bytes`);
  }
  assert.equal(corrupt.length, 3);
});

Deno.test("store.write() leaves nothing behind when the folder cannot be made", async () => {
  const root = await temporaryFolder();
  await Deno.writeTextFile(join(root, "features"), "a file where a folder should be");
  const store = openStore(root);
  await assert.rejects(store.write(ref, bytes), StorageError);
  assert.deepEqual([...Deno.readDirSync(root)].map((entry) => entry.name), ["features"]);
});

Deno.test("store.publishDirectory() publishes a folder whole, with its checksums", async () => {
  const store = openStore(await temporaryFolder());
  const directory = { stage: "world", key: ref.key };
  assert.equal(await store.openDirectory(directory), undefined);
  const published = await store.publishDirectory(directory, async (path) => {
    await Deno.mkdir(join(path, "images"));
    await Deno.writeTextFile(join(path, "images", "a.txt"), "abc");
  });
  // printf abc | sha256sum
  assert.deepEqual(published.files, {
    "images/a.txt": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  });
  assert.deepEqual(await store.openDirectory(directory), published);
});

Deno.test("store.publishDirectory() of a failing fill leaves nothing", async () => {
  const store = openStore(await temporaryFolder());
  const directory = { stage: "world", key: ref.key };
  await assert.rejects(
    store.publishDirectory(directory, (path) => {
      Deno.writeTextFileSync(join(path, "half"), "");
      throw new Error("stopped");
    }),
    /stopped/,
  );
  assert.equal(await store.openDirectory(directory), undefined);
  assert.deepEqual([...Deno.readDirSync(join(store.root, "world", ref.key.slice(0, 2)))], []);
});

Deno.test("store.openDirectory() refuses a folder with a changed, missing or surplus file", async () => {
  const corrupt: string[] = [];
  const store = openStore(await temporaryFolder(), { onCorrupt: (path) => corrupt.push(path) });
  const directory = { stage: "world", key: ref.key };
  const faults = [
    (path: string) => Deno.writeTextFile(join(path, "a"), "changed"),
    (path: string) => Deno.remove(join(path, "a")),
    (path: string) => Deno.writeTextFile(join(path, "b"), "surplus"),
    (path: string) => Deno.truncate(join(path, ".files.json"), 5),
  ];
  for (const fault of faults) {
    const { path } = await store.publishDirectory(
      directory,
      (folder) => Deno.writeTextFile(join(folder, "a"), "first"),
    );
    await fault(path);
    assert.equal(await store.openDirectory(directory), undefined);
  }
  assert.equal(corrupt.length, faults.length);
});

Deno.test("two stores on one folder publish the same artifact without harm", async () => {
  const root = await temporaryFolder();
  const directory = { stage: "world", key: ref.key };
  const fill = (path: string) => Deno.writeTextFile(join(path, "a"), "first");
  const [first, second] = [openStore(root), openStore(root)];
  const published = await Promise.all([
    first.publishDirectory(directory, fill),
    second.publishDirectory(directory, fill),
    first.write(ref, bytes),
    second.write(ref, bytes),
  ]);
  assert.deepEqual(published[0], published[1]);
  assert.deepEqual(await first.read(ref), bytes);
});

Deno.test("store.write() keeps the first of two artifacts, also of many writers at once", async () => {
  const root = await temporaryFolder();
  const stores = Array.from({ length: 8 }, () => openStore(root));
  const payload = (i: number) => new Uint8Array(1000).fill(i);
  await Promise.all(stores.map((store, i) => store.write(ref, payload(i))));
  const first = (await stores[0]!.read(ref))!;
  assert.deepEqual(first, payload(first[0]!));
  await stores[0]!.write(ref, payload(99));
  assert.deepEqual(await stores[1]!.read(ref), first);
  const folder = join(root, ref.stage, ref.key.slice(0, 2), ref.key);
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), [ref.part]);
});

Deno.test("store.write() publishes where the file system has no links", async () => {
  const { link } = Deno;
  try {
    Deno.link = () => Promise.reject(new Deno.errors.NotSupported("no links here"));
    const store = openStore(await temporaryFolder());
    await store.write(ref, bytes);
    assert.deepEqual(await store.read(ref), bytes);
  } finally {
    Deno.link = link;
  }
});

Deno.test("store.readRecord() tells what the first writer recorded, whatever the stage stores", async () => {
  const store = openStore(await temporaryFolder());
  const record = {
    host: "a",
    cpu: "b",
    started: "2026-01-02T03:04:05.000Z",
    seconds: 60,
    peakMemoryBytes: 7,
    remarks: ["seen"],
  };
  const { stage, key } = ref;
  assert.equal(await store.readRecord(ref), undefined);
  await store.write(ref, bytes);
  await store.writeRecord(ref, record);
  await store.writeRecord(ref, { ...record, seconds: 0.1 });
  assert.deepEqual(await store.readRecord({ stage, key }), record);
  const directory = { stage: "world", key };
  await store.publishDirectory(directory, (path) => Deno.writeTextFile(join(path, "a"), ""));
  await store.writeRecord(directory, record);
  assert.notEqual(await store.openDirectory(directory), undefined);
  assert.deepEqual(await store.readRecord(directory), record);
});

Deno.test("store.readRecord() has no remarks and no processor where an older version wrote none", async () => {
  const store = openStore(await temporaryFolder());
  const record = { host: "a", started: "2026-01-02T03:04:05.000Z", seconds: 1, peakMemoryBytes: 7 };
  await store.writeRecord(ref, record as unknown as StageRecord);
  assert.deepEqual(await store.readRecord(ref), { ...record, remarks: [], cpu: "unknown" });
});

Deno.test("store.readRecord() takes a damaged record for none", async () => {
  const store = openStore(await temporaryFolder());
  const record = {
    host: "a",
    cpu: "b",
    started: "2026-01-02T03:04:05.000Z",
    seconds: 60,
    peakMemoryBytes: 7,
    remarks: ["seen"],
  };
  await store.writeRecord(ref, record);
  await Deno.truncate(join(store.root, ref.stage, ref.key.slice(0, 2), `${ref.key}.record`), 50);
  assert.equal(await store.readRecord(ref), undefined);
  await store.writeRecord(ref, record);
  assert.deepEqual(await store.readRecord(ref), record);
});

Deno.test("store.publishDirectory() returns what the first published, and replaces a damaged one", async () => {
  const root = await temporaryFolder();
  const directory = { stage: "world", key: ref.key };
  const fill = (text: string) => (path: string) => Deno.writeTextFile(join(path, "a"), text);
  const first = await openStore(root).publishDirectory(directory, fill("first"));
  assert.deepEqual(await openStore(root).publishDirectory(directory, fill("second")), first);
  await Deno.writeTextFile(join(first.path, "a"), "damaged");
  const third = await openStore(root).publishDirectory(directory, fill("third"));
  assert.deepEqual(await openStore(root).openDirectory(directory), third);
  assert.equal(await Deno.readTextFile(join(third.path, "a")), "third");
});

Deno.test("store.openDirectory() tells how far the comparison is", async () => {
  const root = await temporaryFolder();
  const told: (readonly [number, number])[] = [];
  const store = openStore(root, { onCompared: (_path, ...progress) => told.push(progress) });
  const directory = { stage: "world", key: ref.key };
  await store.publishDirectory(directory, async (path) => {
    for (const name of ["a", "b", "c"]) await Deno.writeTextFile(join(path, name), name);
  });
  await store.openDirectory(directory);
  assert.deepEqual(told, [[1, 3], [2, 3], [3, 3]]);
});

/** Begins to write an artifact and a folder in another process and never ends. */
const hangingWriter = (root: string) => `
  import { openStore, contentKey } from ${JSON.stringify(storeModule)};
  import { createTemporaryFile } from ${JSON.stringify(filesModule)};
  const store = openStore(${JSON.stringify(root)});
  await createTemporaryFile(${JSON.stringify(root)});
  await store.publishDirectory({ stage: "world", key: contentKey(1) }, async (path) => {
    await Deno.writeFile(path + "/half", new Uint8Array(1000));
    console.log("writing");
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  });
`;

Deno.test("store.removeUnfinished() removes at once what a killed process left, not a living one's", async () => {
  const root = await temporaryFolder();
  const script = `${await temporaryFolder()}/writer.ts`;
  await Deno.writeTextFile(script, hangingWriter(root));
  const writer = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-all", script],
    stdout: "piped",
  }).spawn();
  const unfinished = async () =>
    (await Array.fromAsync(walkFiles(root))).filter((path) => path.includes(".writing-"));
  const output = writer.stdout.getReader();
  try {
    await output.read();
    const age = { milliseconds: 86_400_000 };
    const left = await unfinished();
    assert.equal(left.length, 3, "a file, and a folder with a file and its lock");
    await openStore(root).removeUnfinished(age);
    assert.deepEqual(await unfinished(), left);
    writer.kill("SIGKILL");
    await writer.status;
    await openStore(root).removeUnfinished(age);
    assert.deepEqual(await unfinished(), []);
  } finally {
    await output.cancel();
  }
});

Deno.test("store.removeUnfinished() removes old unfinished writes and nothing else", async () => {
  const store = openStore(await temporaryFolder());
  await store.write(ref, bytes);
  const directory = { stage: "world", key: ref.key };
  await store.publishDirectory(directory, (path) => Deno.writeTextFile(join(path, "a"), ""));
  const parts = join(store.root, ref.stage, ref.key.slice(0, 2), ref.key);
  const left = [join(parts, ".writing-file"), join(store.root, "world", "ab", ".writing-folder")];
  await Deno.writeTextFile(left[0]!, "half");
  await Deno.mkdir(join(left[1]!, "images"), { recursive: true });
  const there = () => left.map((path) => Deno.lstat(path).then(() => true, () => false));
  await store.removeUnfinished({ milliseconds: 60_000 });
  assert.deepEqual(await Promise.all(there()), [true, true]);
  await store.removeUnfinished({ milliseconds: -60_000 });
  assert.deepEqual(await Promise.all(there()), [false, false]);
  assert.deepEqual(await store.read(ref), bytes);
  assert.notEqual(await store.openDirectory(directory), undefined);
});
