import assert from "node:assert/strict";
import { deflateRawSync } from "node:zlib";
import {
  fileSource,
  memorySource,
  readZipDirectory,
  readZipEntry,
  zipEntryChunks,
} from "../../lib/files/mod.ts";
import { zip, type ZipFields } from "./_zip_files.ts";

const fixtures = new URL("../fixtures/data/archives/", import.meta.url).pathname;
const LONG = `folder/${"long-name/".repeat(14)}end.txt`;
const files: Record<string, Uint8Array> = {
  "folder/": new Uint8Array(),
  "folder/a.txt": new TextEncoder().encode("alpha\n"),
  "folder/empty.txt": new Uint8Array(),
  [LONG]: Uint8Array.from({ length: 1280 }, (_, i) => i % 256),
};

async function readAll(bytes: Uint8Array): Promise<Record<string, Uint8Array>> {
  const source = memorySource(bytes);
  const read: Record<string, Uint8Array> = {};
  for (const entry of await readZipDirectory(source)) {
    read[entry.name] = await readZipEntry(source, entry);
  }
  return read;
}

Deno.test("readZipEntry() reads what Python's zipfile wrote, from memory and from disk", async () => {
  for (const kind of ["stored", "deflated"]) {
    const bytes = await Deno.readFile(`${fixtures}${kind}.zip`);
    assert.deepEqual(await readAll(bytes), files, kind);
    using file = await Deno.open(`${fixtures}${kind}.zip`);
    const source = await fileSource(file);
    for (const entry of await readZipDirectory(source)) {
      const chunks = await Array.fromAsync(zipEntryChunks(source, entry));
      assert.deepEqual(chunks.flatMap((chunk) => [...chunk]), [...files[entry.name]!]);
      assert.equal(entry.kind, entry.name === "folder/" ? "folder" : "file");
    }
  }
  const zip64 = await readAll(await Deno.readFile(`${fixtures}zip64.zip`));
  assert.deepEqual(zip64, { "folder/a.txt": files["folder/a.txt"] });
});

Deno.test("readZipDirectory() refuses a zip that is cut off anywhere", async () => {
  const bytes = await Deno.readFile(`${fixtures}deflated.zip`);
  for (let length = 0; length < bytes.length; length++) {
    await assert.rejects(readAll(bytes.slice(0, length)), /zip file/, `${length}`);
  }
});

Deno.test("readZipEntry() notices every changed byte of data", async () => {
  const body = new TextEncoder().encode("some text, some text, some text");
  for (const method of [0, 8]) {
    const good = zip([{ name: "a", body, method }]);
    const packedLength = method === 8 ? deflateRawSync(body).length : body.length;
    for (let at = 31; at < 31 + packedLength; at++) {
      const bad = good.slice();
      bad[at]! ^= 0x10;
      // A bit after deflate's last code changes nothing; any other change must be noticed.
      const read = readAll(bad).then((all) => assert.deepEqual(all, { a: body }, `${at}`));
      if (method === 8 && at === 30 + packedLength) await read.catch(() => {});
      else await assert.rejects(read, /damaged|unpacks to/, `${method} ${at}`);
    }
  }
});

Deno.test("readZipDirectory() refuses lies with their reason", async () => {
  const body = new Uint8Array(100);
  const big = new Uint8Array(1_000_000);
  const cases: [ZipFields[], RegExp][] = [
    [[{ name: "a", body }, { name: "a", body }], /"a" occurs twice/],
    [[{ name: "a", body }, { name: "b", body, offset: 0 }], /two entries lie at byte 0/],
    [[{ name: "a", body, compressed: 150, size: 150 }, { name: "b", body }], /"a" overlaps/],
    [[{ name: "a", body, compressed: 150, size: 150 }], /"a" overlaps/],
    [[{ name: "a", body, offset: 5000 }], /"a" overlaps/],
    [[{ name: "a", body, flags: 1 }], /"a" is encrypted/],
    [[{ name: "a", body, method: 12 }], /packed by method 12/],
    [[{ name: "a", body, size: 99 }], /claims 99 bytes from 100/],
    [[{ name: "a", body, method: 8, size: 4e9 }], /claims 4000000000 bytes .* impossible/],
    [[{ name: "a", body, size: 0xffffffff }], /lacks its zip64 sizes/],
    [[{ name: "a", body: big, method: 8, size: 10 }], /unpacks to more than 10 bytes/],
    [[{ name: "a", body, method: 8, size: 101 }], /unpacks to 100 bytes, not 101/],
    [[{ name: "a", body, localName: "b" }], /another name in its local header/],
  ];
  for (const [entries, reason] of cases) await assert.rejects(readAll(zip(entries)), reason);
});

Deno.test("readZipDirectory() follows a zip64 end record and refuses one outside of the file", async () => {
  const plain = zip([{ name: "a", body: new TextEncoder().encode("alpha") }]);
  const end = plain.length - 22;
  const view = new DataView(plain.buffer);
  const build = (at: number) => {
    const record = new DataView(new ArrayBuffer(56 + 20));
    record.setUint32(0, 0x06064b50, true);
    record.setBigUint64(32, 1n, true);
    record.setBigUint64(40, BigInt(view.getUint32(end + 12, true)), true);
    record.setBigUint64(48, BigInt(view.getUint32(end + 16, true)), true);
    record.setUint32(56, 0x07064b50, true);
    record.setBigUint64(64, BigInt(at), true);
    const marked = plain.slice(end);
    marked.fill(0xff, 8, 20);
    return Uint8Array.from([...plain.slice(0, end), ...new Uint8Array(record.buffer), ...marked]);
  };
  assert.deepEqual(await readAll(build(end)), { a: new TextEncoder().encode("alpha") });
  await assert.rejects(readAll(build(end + 1000)), /zip64 record lies outside/);
  await assert.rejects(readAll(build(0)), /zip64 record is not one/);
});

Deno.test("readZipDirectory() tells links and devices from files", async () => {
  const body = new Uint8Array();
  const modes = { file: 0o100644, folder: 0o040755, link: 0o120777, device: 0o060644 };
  const entries = Object.entries(modes).map(([name, attributes]) => ({ name, body, attributes }));
  const kinds = (await readZipDirectory(memorySource(zip(entries)))).map(({ kind }) => kind);
  assert.deepEqual(kinds, ["file", "folder", "other", "other"]);
});
