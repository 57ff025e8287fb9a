import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { hashTree } from "../../lib/files/mod.ts";
import { unpack } from "../../lib/sources/mod.ts";

const fixtures = new URL("../fixtures/data/archives/", import.meta.url).pathname;
const LONG = `${"long-name/".repeat(14)}end.txt`;
const files: Record<string, Uint8Array> = {
  "a.txt": new TextEncoder().encode("alpha\n"),
  "empty.txt": new Uint8Array(),
  [LONG]: Uint8Array.from({ length: 1280 }, (_, i) => i % 256),
};

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Entry {
  readonly name: string;
  readonly type?: string;
  readonly link?: string;
  readonly body?: Uint8Array;
}

/** A gzipped tar of these entries. */
function tgz(entries: readonly Entry[]): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const { name, type = "0", link = "", body = new Uint8Array() } of entries) {
    const header = new Uint8Array(512);
    const put = (text: string, at: number) => header.set(new TextEncoder().encode(text), at);
    put(name, 0);
    put("0000644\0", 100);
    put(body.length.toString(8).padStart(11, "0"), 124);
    put(type, 156);
    put(link, 157);
    put("ustar\x0000", 257);
    header.fill(0x20, 148, 156);
    put(header.reduce((a, b) => a + b, 0).toString(8).padStart(6, "0") + "\0 ", 148);
    blocks.push(header, body, new Uint8Array((512 - body.length % 512) % 512));
  }
  return gzipSync(Buffer.concat([...blocks, new Uint8Array(1024)]));
}

Deno.test("unpack() writes one folder of a zip or tgz, and hashTree() describes it alike", async () => {
  for (
    const [file, format, extra] of [
      ["stored.zip", "zip", {}],
      ["deflated.zip", "zip", {}],
      ["ustar.tgz", "tgz", {}],
      ["gnu.tgz", "tgz", { "Größe.txt": new TextEncoder().encode("x") }],
      ["pax.tgz", "tgz", { "Größe.txt": new TextEncoder().encode("x") }],
    ] as const
  ) {
    await inFolder(async (folder) => {
      const options = { format, folder: "folder" };
      const tree = await unpack(`${fixtures}${file}`, `${folder}/out`, options);
      const expected: Record<string, Uint8Array> = { ...files, ...extra };
      const lines = [];
      for (const name of Object.keys(expected).sort()) {
        assert.deepEqual(await Deno.readFile(`${folder}/out/${name}`), expected[name], name);
        const digest = createHash("sha256").update(expected[name]!).digest("hex");
        lines.push(`${digest}  ${name}\n`);
      }
      const sha256 = createHash("sha256").update(lines.join("")).digest("hex");
      const bytes = Object.values(expected).reduce((sum, { length }) => sum + length, 0);
      assert.deepEqual(tree, { files: lines.length, bytes, sha256 }, file);
      assert.deepEqual(await hashTree(`${folder}/out`), tree);
    });
  }
});

Deno.test("unpack() refuses paths out of the folder, links, devices and repeated files", async () => {
  const body = new TextEncoder().encode("x");
  const cases: [readonly Entry[], RegExp][] = [
    [[{ name: "../evil", body }], /path "..\/evil" is not allowed/],
    [[{ name: "folder/../../evil", body }], /is not allowed/],
    [[{ name: "/etc/evil", body }], /is not allowed/],
    [[{ name: "folder\\..\\evil", body }], /is not allowed/],
    [[{ name: "C:/evil", body }], /is not allowed/],
    [[{ name: "folder/line\nbreak", body }], /is not allowed/],
    [[{ name: "folder/link", type: "2", link: "/etc/passwd" }], /"folder\/link" is a link/],
    [[{ name: "folder/hard", type: "1", link: "../evil" }], /is a link or device/],
    [[{ name: "folder/tty", type: "3" }], /is a link or device/],
    [[{ name: "folder/fifo", type: "6" }], /is a link or device/],
    [[{ name: "folder/a", body }, { name: "folder/./a", body }], /exists/],
    [[{ name: "other/a", body }], /holds nothing in the folder folder/],
    [
      [{ name: "folder/a", type: "2", link: ".." }, { name: "folder/a/evil", body }],
      /is a link or device/,
    ],
  ];
  for (const [entries, reason] of cases) {
    await inFolder(async (folder) => {
      await Deno.writeFile(`${folder}/x.tgz`, tgz(entries));
      const options = { format: "tgz", folder: "folder" } as const;
      await assert.rejects(unpack(`${folder}/x.tgz`, `${folder}/out`, options), reason);
      const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
      assert.deepEqual(names.sort(), ["out", "x.tgz"]);
      await assert.rejects(Deno.stat(`${folder}/../evil`), Deno.errors.NotFound);
    });
  }
});

Deno.test("unpack() stops at a bomb and at an archive that is cut off", async () => {
  await inFolder(async (folder) => {
    const bomb = tgz([{ name: "folder/zeros", body: new Uint8Array(30_000_000) }]);
    await Deno.writeFile(`${folder}/x.tgz`, bomb);
    const options = { format: "tgz", folder: "folder" } as const;
    await assert.rejects(unpack(`${folder}/x.tgz`, `${folder}/a`, options), /more than \d+ bytes/);
    const { size } = await Deno.stat(`${folder}/a/zeros`);
    assert.ok(size < 3_000_000, `${size}`);

    const good = await Deno.readFile(`${fixtures}gnu.tgz`);
    await Deno.writeFile(`${folder}/x.tgz`, good.subarray(0, 300));
    await assert.rejects(unpack(`${folder}/x.tgz`, `${folder}/b`, options));
  });
});

Deno.test("unpack() stops when it is told to", async () => {
  await inFolder(async (folder) => {
    const options = {
      format: "zip",
      folder: "folder",
      signal: AbortSignal.abort(new Error("Ctrl-C")),
    } as const;
    await assert.rejects(unpack(`${fixtures}stored.zip`, `${folder}/a`, options), /Ctrl-C/);
  });
});
