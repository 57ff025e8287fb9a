import assert from "node:assert/strict";
import { epochWindows, evenParts } from "../../lib/correction/_minibatches.ts";
import { createRandom } from "../../lib/tensor/mod.ts";
import { readReference } from "./_reference.ts";

const width = 2048;
/** Half a gigabyte. */
const windowRows = 2 ** 16;

Deno.test("epochWindows() gives the order that Python works out from the seed", async () => {
  const { orders, seed, problem } = await readReference();
  for (const [epoch, order] of orders.entries()) {
    const random = createRandom(1).split("order").split(seed).split(epoch);
    const sizes = { images: problem.labels.length, width: 7, batchSize: 40 };
    const [window, ...others] = epochWindows(sizes, random);
    assert.deepEqual(window!.batches.map((batch) => [...batch]), order);
    assert.deepEqual([window!.blocks, others], [[0, 1, 2], []]);
  }
});

Deno.test("epochWindows() shows each of many rows once, in windows that fit into memory", () => {
  const images = 3 * windowRows + 1001;
  const windows = [...epochWindows({ images, width, batchSize: 256 }, createRandom("many"))];
  assert.equal(windows.length, 4);
  const seen = new Uint8Array(images);
  for (const { blocks, batches } of windows) {
    assert.ok(blocks.length * 64 <= windowRows);
    assert.ok(blocks.every((block, i) => i === 0 || block > blocks[i - 1]!));
    const held = new Set(blocks);
    const sizes = batches.map(({ length }) => length);
    assert.ok(Math.max(...sizes) <= 256 && Math.max(...sizes) - Math.min(...sizes) <= 1);
    for (const row of batches.flatMap((batch) => [...batch])) {
      assert.ok(held.has(Math.floor(row / 64)));
      seen[row]!++;
    }
  }
  assert.ok(seen.every((times) => times === 1));
  // Neighbours in storage are seen far apart: blocks of every part of the data are in each window.
  for (const { blocks } of windows) {
    const quarters = new Set(blocks.map((block) => Math.floor(block / (images / 64) * 4)));
    assert.deepEqual([...quarters].sort(), [0, 1, 2, 3]);
  }
});

Deno.test("epochWindows() without random numbers keeps the rows' order", () => {
  const windows = [...epochWindows({ images: windowRows + 10, width, batchSize: 1000 })];
  const rows = windows.flatMap(({ batches }) => batches.flatMap((batch) => [...batch]));
  assert.deepEqual(rows, Array.from({ length: windowRows + 10 }, (_, i) => i));
});

Deno.test("evenParts() differ in size by one at most", () => {
  const sizes = evenParts(Array.from({ length: 11 }), 4).map(({ length }) => length);
  assert.deepEqual(sizes.toSorted(), [3, 4, 4]);
  assert.deepEqual(evenParts([], 4), []);
});
