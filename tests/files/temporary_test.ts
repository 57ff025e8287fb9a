import assert from "node:assert/strict";
import { join } from "node:path";
import {
  createTemporaryFile,
  createTemporaryFolder,
  isTemporary,
  readFolder,
  removeAbandoned,
} from "../../lib/files/mod.ts";

const lock = "record";

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("createTemporaryFile() and createTemporaryFolder() leave only what was renamed", async () => {
  await inFolder(async (folder) => {
    {
      await using file = await createTemporaryFile(folder);
      await using kept = await createTemporaryFile(folder);
      await using directory = await createTemporaryFolder(folder, { lock });
      const names = readFolder(folder).map(({ name }) => name);
      assert.equal(names.length, 3);
      assert.ok(names.every(isTemporary));
      for (const path of [file.path, kept.path, directory.path]) {
        assert.equal(await removeAbandoned(path, { lock }), false, "it is being written");
      }
      await Deno.rename(kept.path, join(folder, "kept"));
    }
    assert.deepEqual(readFolder(folder), [{ name: "kept", kind: "file" }]);
  });
});

Deno.test("removeAbandoned() removes what nobody writes, if it is of this machine", async () => {
  await inFolder(async (folder) => {
    const uuid = crypto.randomUUID();
    const ours = join(folder, `.writing-${encodeURIComponent(Deno.hostname())}-${uuid}`);
    const others = [`.writing-elsewhere-${uuid}`, `.writing-${Deno.hostname()}-2-${uuid}`]
      .map((name) => join(folder, name));
    for (const path of [ours, ...others]) await Deno.writeTextFile(path, "half");
    assert.equal(await removeAbandoned(ours, { lock }), true);
    for (const path of others) assert.equal(await removeAbandoned(path, { lock }), false);
    assert.equal(readFolder(folder).length, 2);
    await Deno.mkdir(ours);
    assert.equal(await removeAbandoned(ours, { lock }), false, "its lock may be made just now");
    await Deno.writeTextFile(join(ours, lock), "");
    assert.equal(await removeAbandoned(ours, { lock }), true);
  });
});
