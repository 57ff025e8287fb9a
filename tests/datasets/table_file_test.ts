import assert from "node:assert/strict";
import { parseTable } from "../../lib/datasets/_table_file.ts";
import { createRandom } from "../../lib/tensor/mod.ts";
import { messageOf } from "./_folders.ts";

const cellsOf = (text: string, columns: string[] = []) =>
  parseTable(text, { path: "t.csv", columns }).rows.map(({ line, cells }) => [
    line,
    ...cells.values(),
  ]);

Deno.test("parseTable() reads quotes, commas and line breaks as RFC 4180 has them", () => {
  assert.deepEqual(cellsOf('a,b\n1,"x, ""y"""\r\n"line\nbreak",2\n,\n'), [
    [2, "1", 'x, "y"'],
    [3, "line\nbreak", "2"],
    [5, "", ""],
  ]);
});

Deno.test("parseTable() reads a last line without line break and passes over empty ones", () => {
  assert.deepEqual(cellsOf("a,b\n\n1,2\n\n3,"), [[3, "1", "2"], [5, "3", ""]]);
  assert.deepEqual(cellsOf("a,b"), []);
  assert.deepEqual(cellsOf('a,b\n7" disc,x'), [[2, '7" disc', "x"]]);
});

Deno.test("parseTable() names path, line and column of what is malformed", async () => {
  assert.match(await messageOf(() => cellsOf("", ["a"])), /lacks the column a; it has none/);
  assert.match(
    await messageOf(() => cellsOf("a,b\n1,2\n", ["a", "c"])),
    /t\.csv: its first line lacks the column c; it has "a, b"/,
  );
  assert.match(await messageOf(() => cellsOf("a,b\n1,2\n3\n")), /line 3 of t\.csv: it has 1 cells/);
  assert.match(await messageOf(() => cellsOf('a,b\n1,"2\n')), /line 2 of t\.csv: a quote/);
});

Deno.test("parseTable() reads any cells that are quoted by RFC 4180", () => {
  const random = createRandom("tables");
  const pieces = ["a", "é", " ", ",", '"', "\n", "\r\n", "0", ""];
  for (let round = 0; round < 200; round++) {
    const width = 2 + random.integer(3);
    const cell = () =>
      Array.from({ length: random.integer(5) }, () => random.pick(pieces)).join("");
    const rows = Array.from(
      { length: random.integer(5) },
      () => Array.from({ length: width }, cell),
    );
    const header = Array.from({ length: width }, (_, i) => `column ${i}`);
    const quoted = [header, ...rows].map((cells) =>
      cells.map((text) => `"${text.replaceAll('"', '""')}"`).join(",") + random.pick(["\n", "\r\n"])
    );
    const { rows: read } = parseTable(quoted.join(""), { path: "t.csv", columns: header });
    assert.deepEqual(read.map(({ cells }) => [...cells.values()]), rows);
  }
});
