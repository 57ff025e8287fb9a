import assert from "node:assert/strict";
import { memorySource, readZipDirectory, readZipEntry, tarEntries } from "../../lib/files/mod.ts";
import { createRandom, type Random } from "../../lib/tensor/mod.ts";
import { zip } from "./_zip_files.ts";

/** Files of random names and sizes, among them empty ones and ones that deflate well or not at all. */
function randomFiles(random: Random): ReadonlyMap<string, Uint8Array> {
  return new Map(Array.from({ length: random.integer(6) }, (_, i) => {
    const name = `${random.pick(["", "folder/", "Größe/"])}${"n".repeat(random.integer(60))}${i}`;
    const range = random.pick([1, 4, 256]);
    const size = random.pick([0, 1, 511, 512, 513, random.integer(5000)]);
    return [name, Uint8Array.from({ length: size }, () => random.integer(range))];
  }));
}

Deno.test("readZipEntry() gives back any files that a zip was made of", async () => {
  const random = createRandom("zip");
  for (let round = 0; round < 60; round++) {
    const files = randomFiles(random);
    const entries = [...files].map(([name, body]) => ({ name, body, method: random.pick([0, 8]) }));
    const source = memorySource(zip(entries));
    const read = new Map<string, Uint8Array>();
    for (const entry of await readZipDirectory(source)) {
      read.set(entry.name, new Uint8Array(await readZipEntry(source, entry)));
    }
    assert.deepEqual(read, files);
  }
});

Deno.test("tarEntries() gives back any files that a tar was made of, in pieces of any size", async () => {
  const random = createRandom("tar");
  for (let round = 0; round < 60; round++) {
    const files = randomFiles(random);
    const bytes = tar(files);
    const step = 1 + random.integer(2000);
    const pieces = Array.from(
      { length: Math.ceil(bytes.length / step) },
      (_, i) => bytes.subarray(i * step, (i + 1) * step),
    );
    const read = new Map<string, Uint8Array>();
    for await (const { name, size, body } of tarEntries(ReadableStream.from(pieces))) {
      const whole = new Uint8Array(size);
      let at = 0;
      for await (const piece of body) {
        whole.set(piece, at);
        at += piece.length;
      }
      assert.equal(at, size);
      read.set(name, whole);
    }
    assert.deepEqual(read, files);
  }
});

/** A ustar archive. */
function tar(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const blocks = [...files].flatMap(([name, body]) => {
    const header = new Uint8Array(512);
    const set = (at: number, text: string) => header.set(new TextEncoder().encode(text), at);
    set(0, name);
    set(124, `${body.length.toString(8).padStart(11, "0")}\0`);
    set(156, "0");
    set(257, "ustar\x0000");
    set(148, " ".repeat(8));
    const sum = header.reduce((a, b) => a + b, 0);
    set(148, `${sum.toString(8).padStart(6, "0")}\0 `);
    const padded = new Uint8Array(Math.ceil(body.length / 512) * 512);
    padded.set(body);
    return [header, padded];
  });
  const whole = new Uint8Array(blocks.reduce((length, { length: more }) => length + more, 1024));
  let at = 0;
  for (const block of blocks) {
    whole.set(block, at);
    at += block.length;
  }
  return whole;
}
