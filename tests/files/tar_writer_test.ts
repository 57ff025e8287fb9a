import assert from "node:assert/strict";
import { sha256, tarBytes, tarEntries, type TarFile } from "../../lib/files/mod.ts";

async function* streamOf(pieces: readonly Uint8Array[]) {
  yield* pieces;
}

async function* filesOf(files: readonly TarFile[]) {
  yield* files;
}

async function archive(files: readonly TarFile[]): Promise<Uint8Array> {
  return new Uint8Array(
    await new Blob(await Array.fromAsync(tarBytes(filesOf(files))) as BlobPart[]).arrayBuffer(),
  );
}

const text = (name: string, ...parts: readonly string[]): TarFile => {
  const pieces = parts.map((part) => new TextEncoder().encode(part));
  const size = pieces.reduce((sum, { length }) => sum + length, 0);
  return { name, size, body: streamOf(pieces) };
};

Deno.test("tarBytes() writes what Python's tarfile writes", async () => {
  // python: t = tarfile.open(fileobj=f, mode="w", format=USTAR_FORMAT); for each (name, data):
  //   i = TarInfo(name); i.size = len(data); t.addfile(i, BytesIO(data))
  // without the zeros with which Python fills up the last 10,240 bytes.
  const bytes = await archive([text("a/b.txt", "hel", "lo"), text("c", "")]);
  assert.equal(bytes.length, 512 * 5);
  assert.equal(sha256(bytes), "c9f7190e81d2bb710bfe588db7f28576230789e70abfe32bf160ea0175e43c46");
});

Deno.test("tarEntries() reads what tarBytes() writes: long names, Unicode, whole blocks", async () => {
  const files = ["é".repeat(200), `${"folder/".repeat(30)}file`, "exactly", "empty"]
    .map((name, i) => [name, "x".repeat([7, 513, 512, 0][i]!)] as const);
  const bytes = await archive(files.map(([name, body]) => text(name, body)));
  const read: (readonly [string, string])[] = [];
  for await (const { name, kind, body } of tarEntries(streamOf([bytes]))) {
    assert.equal(kind, "file");
    const pieces = await Array.fromAsync(body);
    read.push([name, await new Blob(pieces as BlobPart[]).text()]);
  }
  assert.deepEqual(read, files);
});

Deno.test("tarBytes() refuses a body of another size than it was said to have", async () => {
  await assert.rejects(
    archive([{ ...text("a", "abc"), size: 4 }]),
    /Writing a to an archive: 3 bytes came, not 4/,
  );
});
