import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { tarEntries } from "../../lib/files/mod.ts";

const fixtures = new URL("../fixtures/data/archives/", import.meta.url).pathname;
const LONG = `folder/${"long-name/".repeat(14)}end.txt`;

async function tar(kind: string): Promise<Uint8Array> {
  return new Uint8Array(gunzipSync(await Deno.readFile(`${fixtures}${kind}.tgz`)));
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(archive: AsyncIterable<Uint8Array>): Promise<Record<string, unknown>> {
  const read: Record<string, unknown> = {};
  for await (const { name, kind, size, body } of tarEntries(archive)) {
    const bytes = (await Array.fromAsync(body)).flatMap((piece) => [...piece]);
    assert.equal(bytes.length, size);
    read[name] = kind === "folder" ? kind : bytes;
  }
  return read;
}

Deno.test("tarEntries() reads ustar, GNU and PAX archives in pieces of any size", async () => {
  const expected = {
    "folder/": "folder",
    "folder/a.txt": [...new TextEncoder().encode("alpha\n")],
    "folder/empty.txt": [],
    [LONG]: Array.from({ length: 1280 }, (_, i) => i % 256),
  };
  for (const kind of ["ustar", "gnu", "pax"]) {
    const bytes = await tar(kind);
    const extra = kind === "ustar" ? {} : { "folder/Größe.txt": [120] };
    for (const size of [1, 100, 512, 1000, bytes.length]) {
      const read = Object.entries(await readAll(pieces(bytes, size)));
      const names = read.map(([name, body]) => [body === "folder" ? "folder/" : name, body]);
      assert.deepEqual(Object.fromEntries(names), { ...expected, ...extra }, `${kind} ${size}`);
    }
  }
});

Deno.test("tarEntries() skips bodies that are left unread, wholly or in part", async () => {
  const bytes = await tar("pax");
  const names = [];
  for await (const { name, body } of tarEntries(pieces(bytes, 300))) {
    names.push(name);
    for await (const _ of body) break;
  }
  assert.equal(names.length, 5);
  assert.equal((await Array.fromAsync(tarEntries(pieces(bytes, 300)))).length, 5);
});

Deno.test("tarEntries() refuses an archive that is cut inside an entry", async () => {
  const bytes = await tar("gnu");
  for (let length = 1; length < 5000; length += 37) {
    if (length % 512 === 0) continue;
    await assert.rejects(readAll(pieces(bytes.slice(0, length), 700)), /tar archive/, `${length}`);
  }
});

Deno.test("tarEntries() refuses a changed header and an impossible size", async () => {
  const bytes = await tar("ustar");
  const changed = bytes.slice();
  changed[0]! ^= 1;
  await assert.rejects(readAll(pieces(changed, 512)), /checksum does not match/);
  const claim = (field: Uint8Array, type = 0x30) => {
    const header = bytes.slice(512, 1024);
    header.set(field, 124);
    header[156] = type;
    header.fill(0x20, 148, 156);
    const sum = header.reduce((a, b) => a + b, 0);
    header.set(new TextEncoder().encode(sum.toString(8).padStart(6, "0") + "\0 "), 148);
    return pieces(header, 512);
  };
  const binary = new Uint8Array(12).fill(255);
  await assert.rejects(readAll(claim(binary)), /a size of .* bytes is claimed/);
  const large = new TextEncoder().encode("77777777777\0");
  await assert.rejects(readAll(claim(large)), /ends inside "folder\/a.txt"/);
  await assert.rejects(readAll(claim(large, 0x78)), /extension claims 8589934591 bytes/);
  await assert.rejects(readAll(claim(new TextEncoder().encode("abc"))), /no octal number/);
});
