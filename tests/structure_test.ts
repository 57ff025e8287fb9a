import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { readFolder, walkFiles } from "../lib/files/mod.ts";

const library = join(import.meta.dirname!, "..", "lib");
/** The order of lib/README.md, in which data flows. */
const rooms = [
  "files",
  "tensor",
  "onnx",
  "store",
  "config",
  "images",
  "datasets",
  "sources",
  "world",
  "models",
  "concepts",
  "activations",
  "cav",
  "correction",
  "metrics",
  "experiment",
  "pipeline",
  "report",
  "notebooks",
  "cli",
];

/** Every import between two files of lib/, as paths below it. */
async function imports(): Promise<{ from: string; to: string }[]> {
  const found = [];
  for await (const source of walkFiles(library)) {
    if (!source.endsWith(".ts")) continue;
    const file = join(library, source);
    const text = await Deno.readTextFile(file);
    for (const [, path] of text.matchAll(/(?:from|import|import\()\s*"(\.[^"]+)"/g)) {
      found.push({
        from: relative(library, file),
        to: relative(library, join(dirname(file), path!)),
      });
    }
  }
  return found;
}

const roomOf = (path: string) => path.split("/")[0]!;

Deno.test("lib/ imports only from rooms before its own", async () => {
  const all = await imports();
  assert.ok(all.length > 200, "the imports were found");
  const wrong = all.filter(({ from, to }) =>
    rooms.indexOf(roomOf(to)) > rooms.indexOf(roomOf(from))
  );
  assert.deepEqual(wrong, []);
  assert.deepEqual([...new Set(all.map(({ from }) => roomOf(from)))].sort(), rooms.toSorted());
});

Deno.test("lib/ imports another room at its door", async () => {
  const wrong = (await imports())
    .filter(({ from, to }) => roomOf(from) !== roomOf(to) && !to.endsWith("/mod.ts"));
  assert.deepEqual(wrong, []);
});

Deno.test("the tests of a room are in a folder of its name", () => {
  const folders = new Set(readFolder(import.meta.dirname!).map(({ name }) => name));
  assert.deepEqual(rooms.filter((room) => !folders.has(room)), []);
});
