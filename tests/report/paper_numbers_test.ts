import assert from "node:assert/strict";
import { paperNumberOf, paperNumbers } from "../../lib/report/mod.ts";

const file = JSON.parse(await Deno.readTextFile("configs/paper/tables.json"));
const numbersOf = (label: string) => paperNumbers(file, label)!;
const sum = (values: readonly number[]) =>
  Number(values.reduce((total, value) => total + value, 0).toFixed(2));

Deno.test("configs/paper/tables.json keeps every number of the paper", () => {
  // Count and sum of the numbers of each table as first transcribed, by method and backbone.
  const transcribed: Readonly<Record<string, readonly [count: number, sum: number]>> = {
    "Table 1": [63, 4485.28],
    "Table 2": [63, 823.41],
    "Table 3": [27, 2484.23],
    "Table 4": [37, 2764.11],
    "Table 5": [18, 757.83],
    "Table 6": [14, 1011.14],
    "Table 7": [10, 718.85],
    "Table 8": [18, 1630.94],
    "Table 9": [16, 1191.4],
    "Table 10": [16, 392.56],
    "Table 11": [20, 1480.31],
    "Table 12": [20, 425.82],
    "Table 13": [15, 957.81],
    "Table 14": [15, 11.05],
    "Table 15": [28, 12.34],
    "Table 16": [28, 24.07],
    "Table 17": [12, 0.47],
  };
  for (const [label, expected] of Object.entries(transcribed)) {
    const values = numbersOf(label).numbers.map(({ value }) => value);
    assert.deepEqual([values.length, sum(values)], expected, label);
  }
});

Deno.test("paperNumberOf() joins by the factors of our experiments", () => {
  const cell = {
    dataset: "broden",
    backbone: "vit_b_16",
    layer: "last",
    vlModel: "clip_vit_l_14",
    method: "lg_cav+ga+ce+dsr",
  };
  const accuracy = { ...cell, measure: "concept_accuracy" };
  const toClass = { ...cell, measure: "concept_to_class_accuracy" };
  const valueOf = (label: string, levels: Record<string, string>) =>
    paperNumberOf(numbersOf(label), levels)?.value;
  assert.equal(valueOf("Table 1", accuracy), 70.52);
  assert.equal(valueOf("Table 9", accuracy), 70.52);
  assert.equal(valueOf("Table 11", accuracy), 70.52);
  assert.equal(valueOf("Table 9", { ...accuracy, vlModel: "clip_rn50x16" }), 70.15);
  assert.equal(valueOf("Table 11", { ...accuracy, vlModel: "eva_clip_l_14" }), 71.69);
  assert.equal(valueOf("Table 12", { ...toClass, vlModel: "laclip_l_14" }), 28.44);
  assert.equal(valueOf("Table 14", { ...toClass, layer: "intermediate" }), 1.16);
  assert.equal(valueOf("Table 14", { ...toClass, layer: "intermediate_pooled" }), undefined);
  assert.equal(valueOf("Table 15", accuracy), 0.23);
  assert.equal(valueOf("Table 8", { ...cell, measure: "tcav_score" }), 94.62);
  assert.equal(valueOf("Table 1", { ...accuracy, vlModel: "clip_vit_b_32" }), undefined);
  // The original CAV knows no VL model.
  const original = { ...accuracy, method: "original_cav", vlModel: "clip_vit_b_32" };
  assert.equal(valueOf("Table 1", original), 65.35);
});

Deno.test("paperNumbers() says which statistic a table has and what it quotes", () => {
  assert.equal(numbersOf("Table 2").statistic, "mean");
  assert.equal(numbersOf("Table 16").statistic, "std");
  const quoted = numbersOf("Table 6").numbers.filter(({ quoted }) => quoted)
    .map(({ levels, value }) => [levels["method"], value]);
  assert.deepEqual(quoted, [
    ["pcbm", 58.8],
    ["pcbm_h", 61],
    ["trustworthy_cbm", 68.3],
    ["label_free_cbm", 74.31],
  ]);
});

Deno.test("paperNumbers() of a figure holds nothing", () => {
  assert.equal(paperNumbers(file, "Figure 1"), null);
});
