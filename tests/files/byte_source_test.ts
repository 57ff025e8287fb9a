import assert from "node:assert/strict";
import { type ByteSource, fileSource, memorySource } from "../../lib/files/mod.ts";

async function check(source: ByteSource): Promise<void> {
  assert.equal(source.size, 4);
  assert.deepEqual([...await source.read(1, 2)], [2, 3]);
  assert.deepEqual([...await source.read(4, 0)], []);
  for (const [offset, length] of [[3, 2], [-1, 2], [0, -1], [NaN, 1], [0, NaN]] as const) {
    await assert.rejects(async () => await source.read(offset, length), {
      name: "RangeError",
      message: `Bytes ${offset} to ${offset + length} of 4 were asked for.`,
    });
  }
}

Deno.test("memorySource() reads what is there and refuses the rest", async () => {
  await check(memorySource(Uint8Array.of(1, 2, 3, 4)));
});

Deno.test("fileSource() reads what is there and refuses the rest", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, Uint8Array.of(1, 2, 3, 4));
  using file = await Deno.open(path);
  await check(await fileSource(file));
  await Deno.remove(path);
});
