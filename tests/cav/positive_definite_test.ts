import assert from "node:assert/strict";
import { solvePositiveDefinite, tileBounds } from "../../lib/cav/_positive_definite.ts";
import { createRandom } from "../../lib/tensor/mod.ts";
import { relativeDifference } from "./_reference.ts";

Deno.test("solvePositiveDefinite() solves a worked system", async () => {
  // [[4, 2], [2, 3]] x = [8, 7] has x = [1.25, 1.5]; of [2, 1] it is [0.5, 0].
  const b = Float64Array.of(8, 7, 2, 1);
  await solvePositiveDefinite([[Float64Array.of(4, 2, 2, 3)]], b, { size: 2 });
  [1.25, 1.5, 0.5, 0].forEach((x, i) => assert.ok(Math.abs(b[i]! - x) < 1e-13));
});

Deno.test("solvePositiveDefinite() finds the solution that right-hand sides were made of", async () => {
  const random = createRandom("system");
  const [size, columns] = [1100, 3];
  // Exponential decay with distance is positive definite, and dense.
  const entry = (i: number, j: number) => Math.exp(-Math.abs(i - j) / 50) + (i === j ? 1e-3 : 0);
  const bounds = tileBounds(size);
  assert.equal(bounds.length, 3);
  const tiles = bounds.map(([top, bottom], i) =>
    bounds.slice(0, i + 1).map(([left, right]) => {
      const tile = new Float64Array((bottom - top) * (right - left));
      tile.forEach((_, at) => {
        const row = Math.floor(at / (right - left));
        tile[at] = entry(top + row, left + at - row * (right - left));
      });
      return tile;
    })
  );
  const solution = Float64Array.from({ length: columns * size }, random.normal);
  const b = new Float64Array(columns * size);
  for (let c = 0; c < columns; c++) {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) b[c * size + i]! += entry(i, j) * solution[c * size + j]!;
    }
  }
  await solvePositiveDefinite(tiles, b, { size });
  assert.ok(relativeDifference(b, solution) < 1e-10);
});

Deno.test("solvePositiveDefinite() refuses a matrix that is not positive definite", async () => {
  await assert.rejects(
    solvePositiveDefinite([[Float64Array.of(1, 2, 2, 1)]], new Float64Array(2), { size: 2 }),
    /pivot 1 is -3, not positive/,
  );
});
