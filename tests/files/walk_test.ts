import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { hashTree, readFolder, sha256, walkFiles } from "../../lib/files/mod.ts";

/** A folder with empty files at these paths. */
async function inFolder(
  paths: readonly string[],
  work: (root: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    for (const path of paths) {
      await Deno.mkdir(dirname(join(root, path)), { recursive: true });
      await Deno.writeTextFile(join(root, path), path);
    }
    await work(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("walkFiles() yields whole paths in the order of their code units", async () => {
  const paths = ["a/b/c", "a.txt", "a/b.txt", "a-b", "B", "ä", "a/b/C", "a0", ".hidden/x"];
  await inFolder(paths, async (root) => {
    assert.deepEqual(await Array.fromAsync(walkFiles(root)), paths.toSorted());
  });
});

Deno.test("walkFiles() enters links to folders, but none around them", async () => {
  await inFolder(["a/x", "b/y"], async (root) => {
    await Deno.symlink("../b", join(root, "a", "to-b"));
    await Deno.symlink("../a", join(root, "b", "to-a"));
    await Deno.symlink(".", join(root, "self"));
    await Deno.symlink("nowhere", join(root, "broken"));
    await Deno.symlink("loop", join(root, "loop"));
    await Deno.symlink("a/x", join(root, "file"));
    assert.deepEqual(await Array.fromAsync(walkFiles(root)), [
      "a/to-b/y",
      "a/x",
      "b/to-a/x",
      "b/y",
      "broken",
      "file",
      "loop",
    ]);
    assert.deepEqual(await Array.fromAsync(walkFiles(root, { followLinks: false })), [
      "a/to-b",
      "a/x",
      "b/to-a",
      "b/y",
      "broken",
      "file",
      "loop",
      "self",
    ]);
  });
});

Deno.test("walkFiles() leaves out pipes, which would never end", async () => {
  await inFolder(["a"], async (root) => {
    await new Deno.Command("mkfifo", { args: [join(root, "pipe")] }).output();
    await Deno.symlink("pipe", join(root, "link"));
    assert.equal(readFolder(root).length, 3);
    assert.deepEqual(await Array.fromAsync(walkFiles(root)), ["a"]);
  });
});

Deno.test("walkFiles() and readFolder() refuse what is no folder", async () => {
  await inFolder(["a"], async (root) => {
    await assert.rejects(Array.fromAsync(walkFiles(join(root, "b"))), Deno.errors.NotFound);
    assert.throws(() => readFolder(join(root, "a")), Deno.errors.NotADirectory);
  });
});

Deno.test("hashTree() prints what sha256sum prints and hashes it", async () => {
  await inFolder(["b/c", "a.txt", "a/d"], async (root) => {
    const lines = ["a.txt", "a/d", "b/c"].map((path) => `${sha256(path)}  ${path}\n`);
    const done: number[] = [];
    const onProgress = ({ bytes }: { bytes: number }) => done.push(bytes);
    assert.deepEqual(await hashTree(root, { onProgress }), {
      files: 3,
      bytes: 11,
      sha256: sha256(lines.join("")),
    });
    assert.deepEqual(done, [5, 8, 11]);
    await assert.rejects(hashTree(root, { signal: AbortSignal.abort() }), { name: "AbortError" });
  });
});
