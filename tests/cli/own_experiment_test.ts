import assert from "node:assert/strict";
import { join } from "node:path";
import { readRunsArrow, readTableJson } from "../../lib/report/mod.ts";
import { miniRoot, runCli } from "./_mini_root.ts";

const assumed = (value: unknown) => ({ value, source: "assumed", why: "A test." });
const lengths = [0.03, 0.3];
const counts = [20, 60];

/** An experiment that sweeps a hyper-parameter of the methods and a setting. */
const swept = {
  extends: "base/concept_quality.json",
  version: 1,
  factors: {
    method: ["original_cav", "lg_cav"],
    "method.initialLength": assumed(lengths),
    "probes.count": counts,
  },
  measures: ["concept_accuracy"],
};

async function write(root: string, id: string, experiment: Record<string, unknown>): Promise<void> {
  const text = JSON.stringify({ ...swept, id, title: `Own ${id}`, ...experiment });
  await Deno.writeTextFile(join(root, "experiments", `${id}.json`), text);
}

Deno.test("reproduce makes the table of an experiment file that sweeps what no code names", async (t) => {
  const root = await miniRoot();
  const file = (id: string, name: string) => join(root, "results", "world", id, name);
  await write(root, "own_table", {
    show: {
      as: "table",
      rows: ["method", "method.initialLength"],
      columns: "probes.count",
      compare: "method.initialLength",
    },
  });
  const { code, stderr } = await runCli(root, ["reproduce", "own_table"]);
  assert.equal(code, 0, stderr);
  const runs = readRunsArrow(await Deno.readFile(file("own_table", "runs.arrow")));
  const table = readTableJson(await Deno.readTextFile(file("own_table", "table.json")));

  await t.step("has a row and a column for each level, with the means of its runs", () => {
    assert.equal(table.schema, "lg-cav/result-table");
    assert.deepEqual(
      table.rows.map(({ levels }) => [levels["method"], levels["method.initialLength"]]),
      ["original_cav", "lg_cav"].flatMap((method) => lengths.map((length) => [method, length])),
    );
    assert.deepEqual(table.columns.map(({ levels }) => levels["probes.count"]), counts);
    for (const row of table.rows) {
      assert.ok("cells" in row);
      for (const [column, cell] of row.cells.entries()) {
        assert.equal(cell.status, "measured");
        const own = runs.filter(({ levels }) =>
          levels["method"] === row.levels["method"] &&
          levels["method.initialLength"] === row.levels["method.initialLength"] &&
          levels["probes.count"] === counts[column]
        );
        assert.equal(own.length, 2 * 25, "two seeds, the 25 reported concepts");
        const mean = own.reduce((sum, { value }) => sum + value, 0) / own.length;
        assert.ok("mean" in cell && Math.abs(cell.mean - mean) < 1e-9);
      }
    }
  });

  await t.step("table.md has the same numbers in the same places", async () => {
    const markdown = await Deno.readTextFile(file("own_table", "table.md"));
    // The first table has the means; intervals and tests follow.
    const lines = markdown.split("\n").filter((line) => line.startsWith("|")).slice(2);
    for (const [index, row] of table.rows.entries()) {
      assert.ok("cells" in row);
      const shown = lines[index]!.split("|").slice(1, -1).slice(-counts.length);
      for (const [column, cell] of row.cells.entries()) {
        assert.ok("mean" in cell && shown[column]!.includes(cell.mean.toFixed(2)), lines[index]);
      }
    }
  });

  await t.step("the levels are what trained: other lengths and counts give other vectors", () => {
    const valuesOf = (method: string, length: number, count: number) =>
      runs.filter(({ levels }) =>
        levels["method"] === method && levels["method.initialLength"] === length &&
        levels["probes.count"] === count
      ).map(({ value }) => value);
    for (const method of ["original_cav", "lg_cav"]) {
      assert.notDeepEqual(valuesOf(method, 0.03, 60), valuesOf(method, 0.3, 60));
    }
    assert.notDeepEqual(valuesOf("lg_cav", 0.03, 20), valuesOf("lg_cav", 0.03, 60));
  });

  await t.step("an experiment of the same cells as lines computes nothing", async () => {
    await write(root, "own_lines", {
      show: {
        as: "lines",
        x: "method.initialLength",
        series: "method",
        panels: "probes.count",
        scale: "log",
      },
    });
    const lines = await runCli(root, ["reproduce", "own_lines"]);
    assert.equal(lines.code, 0, lines.stderr);
    assert.doesNotMatch(lines.stderr, /\[\d+\/\d+\]/);
    assert.deepEqual(readRunsArrow(await Deno.readFile(file("own_lines", "runs.arrow"))), runs);
    const drawn = await linesOf(file("own_lines", "figure.json"));
    assert.equal(new Set(drawn.map(({ xaxis }) => xaxis)).size, counts.length, "a panel each");
    assert.deepEqual(drawn.map(({ x }) => x), Array(4).fill(lengths));
    const means = table.rows.flatMap((row) =>
      "cells" in row
        ? row.cells.flatMap((cell) => "mean" in cell ? [cell.mean.toFixed(2)] : [])
        : []
    );
    const shown = drawn.flatMap(({ y }) => y.map((value) => value.toFixed(2)));
    assert.deepEqual(shown.sort(), means.sort());
  });

  await t.step("the level that a config states is the cell of who does not sweep it", async () => {
    await write(root, "own_plain", {
      factors: { method: ["original_cav", "lg_cav"] },
      show: { as: "table", rows: "method", columns: "backbone" },
    });
    const plain = await runCli(root, ["reproduce", "own_plain"]);
    assert.equal(plain.code, 0, plain.stderr);
    assert.doesNotMatch(plain.stderr, /\[\d+\/\d+\]/);
  });

  await t.step("a hyper-parameter that a method lacks is refused by name", async () => {
    await write(root, "own_wrong", {
      factors: { method: ["original_cav"], "method.coefficient": [1, 2] },
      show: { as: "table", rows: "method", columns: "backbone" },
    });
    const wrong = await runCli(root, ["reproduce", "own_wrong"]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /original_cav has no hyper-parameter "coefficient"/);
  });
});

interface Line {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly xaxis: string;
  readonly mode?: string;
}

/** The lines of a figure, without the areas of their intervals. */
async function linesOf(path: string): Promise<Line[]> {
  const { data }: { data: Line[] } = JSON.parse(await Deno.readTextFile(path));
  return data.filter(({ mode }) => mode === "lines+markers");
}
