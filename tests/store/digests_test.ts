import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { UserError } from "../../lib/files/mod.ts";
import { type DigestsOptions, openDigests } from "../../lib/store/mod.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** A clock by which every file was left alone long enough. */
const later = () => Date.now() + 10_000;

interface Room {
  readonly root: string;
  readonly data: string;
  /** What a new process would look up and remember. */
  readonly digest: (name: string, options?: DigestsOptions) => Promise<string | undefined>;
}

/** A folder of data with the given files, beside a store. */
async function inRoom(
  files: Readonly<Record<string, string>>,
  work: (room: Room) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  const data = join(root, "data");
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(dirname(join(data, name)), { recursive: true });
      await Deno.writeTextFile(join(data, name), text);
    }
    const digest: Room["digest"] = async (name, options = { now: later }) => {
      const digests = openDigests(join(root, "store"), options);
      const path = join(data, name);
      const isFile = await Deno.stat(path).then((info) => info.isFile, () => true);
      const found = isFile ? await digests.file(path) : (await digests.folder(path))?.sha256;
      await digests.save();
      return found;
    };
    await work({ root, data, digest });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/**
 * Changes the content of `path` after `look` without a trace in what the system tells of it: within
 * one second, at equal size, with the old time of modification.
 */
async function changeWithoutTrace(
  path: string,
  { from, to, look }: { from: string; to: string; look: () => Promise<unknown> },
): Promise<void> {
  const changedAt = async () => (await Deno.stat(path)).ctime!.getTime();
  for (let attempt = 0; attempt < 20; attempt++) {
    await Deno.writeTextFile(path, from);
    const { mtime } = await Deno.stat(path);
    const before = await changedAt();
    await look();
    await Deno.writeTextFile(path, to);
    await Deno.utime(path, mtime!, mtime!);
    if (await changedAt() === before) return;
  }
  throw new Error("the clock never stood still");
}

Deno.test("digests.file() is the SHA-256 of the content, and undefined without a file", async () => {
  await inRoom({ "a.txt": "abc" }, async ({ data, digest }) => {
    await Deno.symlink("a.txt", join(data, "link"));
    // printf abc | sha256sum
    const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert.equal(await digest("a.txt"), abc);
    assert.equal(await digest("a.txt"), abc);
    assert.equal(await digest("link"), abc);
    assert.equal(await digest("none"), undefined);
    assert.equal(await digest("a.txt/none"), undefined);
  });
});

Deno.test("digests.folder() hashes the lines of sha256sum, sorted by whole path", async () => {
  await inRoom({ "a/z": "1", "a.txt": "22", "b": "333", "a/b/c": "" }, async ({ root, data }) => {
    const lines = [["a.txt", "22"], ["a/b/c", ""], ["a/z", "1"], ["b", "333"]] as const;
    const tree = (chosen: readonly (readonly [string, string])[]) => ({
      files: chosen.length,
      bytes: chosen.reduce((sum, [, text]) => sum + text.length, 0),
      sha256: sha256(chosen.map(([path, text]) => `${sha256(text)}  ${path}\n`).join("")),
    });
    const digests = openDigests(join(root, "store"));
    assert.deepEqual(await digests.folder(data), tree(lines));
    const include = (path: string) => path.startsWith("a/");
    assert.deepEqual(await digests.folder(data, { include }), tree(lines.slice(1, 3)));
    assert.equal(await digests.folder(join(data, "none")), undefined);
  });
});

Deno.test("digests.folder() follows links, each circle once", async () => {
  await inRoom({ "a/x": "x", "b/y": "y" }, async ({ root, data }) => {
    await Deno.mkdir(join(root, "elsewhere"));
    await Deno.writeTextFile(join(root, "elsewhere", "z"), "z");
    await Deno.symlink(join(root, "elsewhere"), join(data, "c"));
    await Deno.symlink("..", join(data, "a", "up"));
    await Deno.symlink(data, join(root, "elsewhere", "back"));
    const seen: string[] = [];
    const include = (path: string) => seen.push(path) > 0;
    assert.equal((await openDigests(join(root, "store")).folder(data, { include }))?.files, 3);
    assert.deepEqual(seen, ["a/x", "b/y", "c/z"]);
  });
});

Deno.test("digests.folder() names a file that cannot be read", async () => {
  await inRoom({ "a": "" }, async ({ data, digest }) => {
    await Deno.symlink("nowhere", join(data, "b"));
    await assert.rejects(
      digest("."),
      (error) =>
        error instanceof UserError && /data\/b: it is a link that leads nowh/.test(error.message),
    );
  });
});

Deno.test("openDigests() believes what it remembers, unless asked to rehash", async () => {
  await inRoom({ "a": "" }, async ({ data, digest }) => {
    await changeWithoutTrace(join(data, "a"), { from: "old", to: "new", look: () => digest("a") });
    assert.equal(await digest("a"), sha256("old"), "the memory is used");
    assert.equal(await digest("a", { rehash: true, now: later }), sha256("new"));
    assert.equal(await digest("a"), sha256("new"), "what was hashed anew is remembered");
  });
});

Deno.test("openDigests() does not remember a file that changed just now", async () => {
  await inRoom({ "a": "" }, async ({ data, digest }) => {
    const look = () => digest("a", {});
    await changeWithoutTrace(join(data, "a"), { from: "old", to: "new", look });
    assert.equal(await digest("a"), sha256("new"));
  });
});

Deno.test("openDigests() notices what changes at equal size and time of modification", async () => {
  const images = Array.from({ length: 40 }, (_, i) => `images/${String(i).padStart(2, "0")}.jpg`);
  const files = {
    "labels.csv": "image,label\na,1\nb,2\n",
    "moved": "first",
    "folder/a": "same",
    ...Object.fromEntries(images.map((name) => [name, `image ${name}`])),
  };
  await inRoom(files, async ({ root, data, digest }) => {
    const before = await digest(".");
    assert.equal(await digest("."), before);
    const past = new Date("2020-01-01");
    const replace = async (name: string, text: string) => {
      const { mtime } = await Deno.stat(join(data, name));
      await Deno.writeTextFile(join(data, name), text);
      await Deno.utime(join(data, name), mtime!, mtime!);
    };
    // The time of change is told in whole seconds.
    await new Promise((resolve) => setTimeout(resolve, 1050));
    const faults: [string, () => Promise<unknown>][] = [
      ["labels.csv", () => replace("labels.csv", "image,label\na,2\nb,1\n")],
      ["moved", async () => {
        const other = join(root, "other");
        await Deno.writeTextFile(other, "other");
        await Deno.utime(other, past, past);
        await Deno.rename(other, join(data, "moved"));
      }],
      ["images", () => Promise.all(images.map((name) => replace(name, `other ${name}`)))],
      ["folder", () => Deno.rename(join(data, "folder", "a"), join(data, "folder", "b"))],
    ];
    for (const [name, fault] of faults) {
      const [old, whole] = [await digest(name), await digest(".")];
      await fault();
      assert.notEqual(await digest(name), old, name);
      assert.notEqual(await digest("."), whole, name);
      assert.equal(await digest("."), await digest(".", { rehash: true }), name);
    }
  });
});

Deno.test("openDigests() ignores a damaged memory", async () => {
  const damages: ((bytes: Uint8Array) => Uint8Array)[] = [
    (bytes) => bytes.with(bytes.length - 20, bytes[bytes.length - 20]! ^ 1),
    (bytes) => bytes.with(3, bytes[3]! ^ 1),
    (bytes) => bytes.subarray(0, bytes.length - 9),
    () => new Uint8Array(),
  ];
  for (const damage of damages) {
    await inRoom({ "a": "" }, async ({ root, data, digest }) => {
      const look = () => digest("a");
      await changeWithoutTrace(join(data, "a"), { from: "old", to: "new", look });
      const [folder] = [...Deno.readDirSync(join(root, "store", "digests"))];
      const [name] = [...Deno.readDirSync(join(root, "store", "digests", folder!.name))];
      const path = join(root, "store", "digests", folder!.name, name!.name);
      await Deno.writeFile(path, damage(await Deno.readFile(path)));
      assert.equal(await digest("a"), sha256("new"));
    });
  }
});

Deno.test("openDigests() tells one thing in one process, and calls at once share the work", async () => {
  const names = Array.from({ length: 200 }, (_, i) => `${i % 100}/${i}`);
  const files = Object.fromEntries(names.map((name) => [name, name]));
  await inRoom(files, async ({ root, data, digest }) => {
    const digests = openDigests(join(root, "store"), { now: later });
    const [whole, again, ...each] = await Promise.all([
      digests.folder(data),
      digests.folder(data),
      ...names.map((name) => digests.file(join(data, name))),
    ]);
    assert.deepEqual(again, whole);
    assert.deepEqual(each, names.map(sha256));
    await Deno.writeTextFile(join(data, names[0]!), "changed");
    assert.equal(await digests.file(join(data, names[0]!)), sha256(names[0]!));
    assert.equal(await digests.folder(data), whole);
    assert.notEqual(await digest("."), whole!.sha256);
  });
});

Deno.test("two processes that remember at once leave a sound memory", async () => {
  const files = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`${i}`, `${i}`]));
  await inRoom(files, async ({ data, digest }) => {
    const all = await Promise.all(Array.from({ length: 6 }, () => digest(".")));
    assert.equal(new Set(all).size, 1);
    await changeWithoutTrace(join(data, "7"), { from: "o", to: "n", look: () => digest(".") });
    assert.notEqual(await digest("."), await digest(".", { rehash: true }), "the memory is used");
  });
});

Deno.test("openDigests() works without a place to remember in", async () => {
  await inRoom({ "a": "abc" }, async ({ root, digest }) => {
    await Deno.writeTextFile(join(root, "store"), "a file where a folder should be");
    assert.equal(await digest("a"), sha256("abc"));
    assert.equal(await digest("a"), sha256("abc"));
  });
});
