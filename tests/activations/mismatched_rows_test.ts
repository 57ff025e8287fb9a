import assert from "node:assert/strict";
import { mismatchedRows } from "../../lib/activations/mod.ts";
import { createRandom } from "../../lib/tensor/mod.ts";

const wrongOf = (share: number, count = 1000) => {
  const random = createRandom("mismatched rows test");
  const rows = mismatchedRows(count, { share, random });
  return { rows, wrong: rows.flatMap((row, at) => row === at ? [] : [at]) };
};

Deno.test("mismatchedRows() puts another row in the place of the share that is asked for", () => {
  for (const share of [0.001, 0.1, 0.3333, 1]) {
    const { rows, wrong } = wrongOf(share);
    // One alone has none to change with.
    assert.equal(wrong.length, share === 0.001 ? 0 : Math.round(1000 * share));
    assert.deepEqual(rows.toSorted((a, b) => a - b), [...rows.keys()], "each row once");
  }
});

Deno.test("mismatchedRows() leaves all as they are at 0", () => {
  assert.deepEqual(wrongOf(0).wrong, []);
});

Deno.test("mismatchedRows() takes more of the same at a higher share", () => {
  const more = new Set(wrongOf(0.5).wrong);
  assert.ok(wrongOf(0.2).wrong.every((row) => more.has(row)));
});
