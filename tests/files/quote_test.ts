import assert from "node:assert/strict";
import { listed, quote } from "../../lib/files/mod.ts";

Deno.test("quote() shows a foreign value in one short line that no terminal obeys", () => {
  assert.equal(quote('a "b"'), '"a \\"b\\""');
  assert.equal(quote("\x1b[2J\n\x7f\x9b"), '"\\u001b[2J\\n\\u007f\\u009b"');
  assert.equal(quote("n".repeat(81)), `"${"n".repeat(80)}…"`);
  assert.equal(quote([1, "x"]), '[1,"x"]');
  assert.equal(quote(undefined), "undefined");
});

Deno.test("listed() names ten items and counts the others", () => {
  const items = Array.from({ length: 12 }, (_, i) => `${i}`);
  assert.equal(listed(items.slice(0, 10)), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9");
  assert.equal(listed(items), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 others");
  assert.equal(listed([]), "");
});
