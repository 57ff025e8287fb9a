import assert from "node:assert/strict";
import { fileHash, filePieces, hashFile, hashStream, treeHash } from "../../lib/files/mod.ts";

// printf abc | md5sum, sha1sum, sha256sum
const abc = {
  md5: "900150983cd24fb0d6963f7d28e17f72",
  sha1: "a9993e364706816aba3e25717850c26c9cd0d89d",
  sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
};
// head -c 3000000 /dev/zero | sha256sum
const zeros = "35bce4eae54ec8e6cc2868baa8d157914d6ae2858811b4cc0c078c94460fa26f";

Deno.test("hashStream() hashes once by several algorithms", async () => {
  const pieces = ReadableStream.from(["a", "bc"].map((text) => new TextEncoder().encode(text)));
  assert.deepEqual(await hashStream(pieces, ["sha256", "md5", "sha1"]), abc);
});

Deno.test("hashFile() hashes short and long files alike", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "abc");
    assert.deepEqual(await hashFile(path), { bytes: 3, sha256: abc.sha256 });
    await Deno.writeFile(path, new Uint8Array(3_000_000));
    assert.deepEqual(await hashFile(path), { bytes: 3_000_000, sha256: zeros });
    using file = await Deno.open(path);
    const { sha256 } = await hashStream(filePieces(file), ["sha256"]);
    assert.equal(sha256, zeros);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("fileHash() says that a file is missing", async () => {
  assert.equal(await fileHash("/nowhere"), "missing");
});

Deno.test("treeHash() is that of sha256sum's lines, sorted by path", () => {
  // printf '%064d  a\n%064d  b\n' 1 2 | sha256sum
  const files = [{ path: "b", sha256: "2".padStart(64, "0") }, {
    path: "a",
    sha256: "1".padStart(64, "0"),
  }];
  assert.equal(treeHash(files), "5a1703fb020169dace0d044820a46dbe314349c0b2774913e5cbddb1f607dcdd");
});
