import assert from "node:assert/strict";
import type { Run } from "../../lib/experiment/mod.ts";
import { foldResult, type ResultSpec, resultSpec, terminalTable } from "../../lib/report/mod.ts";
import { experiment, options, run, specOf } from "./_synthetic.ts";

const columns = 100;
const widthOf = (text: string) => Math.max(...text.split("\n").map((line) => line.length));

/** One run of one concept in each cell, valued by its place. */
function fill(spec: ResultSpec): Run[] {
  return spec.rows.flatMap((row, i) =>
    spec.columns.map((column, j) =>
      run({ levels: { ...row.levels, ...column.levels }, value: 10 * i + j })
    )
  );
}

Deno.test("terminalTable() fits nine columns and seven rows into 100 columns, unbroken", () => {
  const backbones = ["RN18", "RN34", "RN50", "DN121", "DN169", "VGG13", "VGG19", "ViT-B", "ViT-L"];
  const methods = Array.from({ length: 6 }, (_, i) => `Method ${i}`);
  const spec = specOf({
    factors: {
      ...experiment().factors,
      backbone: backbones,
      method: [...methods, "LG-CAV + GA + CE + DSR"],
    },
  });
  const text = terminalTable(foldResult(fill(spec), spec), { columns });
  const lines = text.split("\n");
  assert.ok(widthOf(text) <= columns, text);
  assert.deepEqual(lines[1]!.trim().split(/\s+/), backbones);
  assert.equal(
    lines[8]!.replaceAll(/ +/g, " "),
    "LG-CAV + GA + CE + DSR 60.00* 61.00* 62.00* 63.00* 64.00* 65.00* 66.00* 67.00* 68.00*",
  );
  assert.equal(text.split("*:").length, 2);
});

Deno.test("terminalTable() counts one pair of one concept as one", () => {
  const spec = specOf({});
  const text = terminalTable(foldResult(fill(spec), spec), { columns });
  assert.match(text.replaceAll("\n", " "), / and 1 pair of 1 concept and its class\./);
});

Deno.test("terminalTable() breaks twelve levels of x into blocks, panels as titles", () => {
  const shots = [1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 40, 50];
  const spec = specOf({
    factors: { ...experiment().factors, shots },
    show: { as: "lines", x: "shots", series: ["method"], panels: ["backbone"], scale: "linear" },
  });
  const text = terminalTable(foldResult(fill(spec), spec), { columns });
  assert.ok(widthOf(text) <= columns, text);
  const heads = text.split("\n").filter((line) => /^ +\d+( +\d+)*$/.test(line));
  assert.deepEqual(heads.flatMap((line) => line.trim().split(/\s+/)).map(Number), shots);
  assert.equal(text.split("\nResNet-18\n").length, heads.length + 1);
  assert.match(text, /^ {2}LG-CAV \+ GA +20\.00\* +21\.00\*/m);
});

Deno.test("terminalTable() fits any width, whatever the titles", () => {
  const titleOf = () => ({ title: "word ".repeat(40), short: "a long word ".repeat(8).trim() });
  const spec = resultSpec(experiment({ title: "A long title ".repeat(20) }), {
    ...options,
    titleOf,
  });
  for (const columns of [40, 80, 100]) {
    const text = terminalTable(foldResult(fill(spec), spec), { columns });
    assert.ok(widthOf(text) <= columns, text);
    assert.equal(text.split("0.00").length - 1 >= 1, true);
  }
});

Deno.test("terminalTable() marks nothing that was not measured, and no deviation", () => {
  const spec = specOf({});
  const one = [run({ value: 1 }), run({ levels: { method: "lg_cav" }, value: 2 })];
  const text = terminalTable(foldResult(one, spec), { columns });
  assert.match(text, /^Original +1\.00 +-$/m);
  assert.match(text, /^LG-CAV +2\.00\* +-$/m);
  assert.match(text, /Random CAVs:\s0\./);
  const deviations = specOf({
    show: { as: "table", rows: ["method"], columns: ["backbone"], statistic: "std" },
  });
  const seeds = [...one, ...one.map((run) => ({ ...run, levels: { ...run.levels, seed: 1 } }))];
  const std = terminalTable(foldResult(seeds, deviations), { columns });
  assert.match(std, /^LG-CAV +0\.00 +-$/m);
  assert.doesNotMatch(std, /\*/);
});

Deno.test("terminalTable() of histograms is a line of moments each", () => {
  const spec = specOf({
    factors: { ...experiment().factors, backbone: ["resnet18"] },
    show: {
      as: "histogram",
      series: ["method"],
      panels: ["backbone"],
      bins: { value: 5, source: "assumed" },
    },
  });
  const text = terminalTable(foldResult([run({ value: 1 }), run({ value: 3 })], spec), { columns });
  assert.match(text, /^Original: mean 2\.000, deviation 1\.000, 2 values$/m);
  assert.match(text, /^LG-CAV: not run$/m);
});
