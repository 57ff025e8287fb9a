import assert from "node:assert/strict";
import { loadConfig, parseConfig } from "../../lib/config/mod.ts";
import {
  besideTables,
  combinationsOf,
  type Experiment,
  experimentSchema,
} from "../../lib/experiment/mod.ts";

const read = (id: string) => loadConfig(`experiments/${id}.json`, experimentSchema);
const changed = (experiment: Experiment, rest: Record<string, unknown>) =>
  parseConfig("an experiment", experimentSchema, { spec: { ...experiment, ...rest } });

Deno.test("besideTables() puts what controls get and the significant pairs below Table 2", async () => {
  const table2 = await read("table2");
  const [controls, significance, ...rest] = besideTables(table2);
  assert.deepEqual(rest, []);
  assert.deepEqual(controls!.factors["method"], table2.settings.controls!.value);
  assert.deepEqual(controls!.measures, ["concept_to_class_accuracy"]);
  assert.equal(combinationsOf(controls!).length, 3 * 9 * 4);
  assert.deepEqual(significance!.measures, ["significant_pairs"]);
  assert.deepEqual(combinationsOf(significance!), combinationsOf(table2));
  for (const { paper, quoted } of [controls!, significance!]) {
    assert.equal(paper, undefined);
    assert.deepEqual(quoted, []);
  }
});

Deno.test("besideTables() shows the controls of a table that shows no method as its rows", async () => {
  const [controls] = besideTables(await read("table10"));
  assert.ok(controls!.show.as === "table" && !("compare" in controls!.show));
  assert.deepEqual(controls!.show.as === "table" && controls!.show.rows, ["method", "backbone"]);
});

Deno.test("besideTables() tests no pair of a measure that has none, and leaves out what has no controls", async () => {
  assert.deepEqual(
    besideTables(await read("table1")).map(({ measures }) => measures),
    [["concept_accuracy"]],
  );
  for (const id of ["table4", "table5", "figure4", "figure6", "controls"]) {
    assert.deepEqual(besideTables(await read(id)), [], id);
  }
});

Deno.test("besideTables() repeats no control that is a method, and none where hyper-parameters are swept", async () => {
  const table2 = await read("table2");
  const method = ["lg_cav", "random_cav"];
  const [controls] = besideTables(changed(table2, { factors: { ...table2.factors, method } }));
  assert.deepEqual(controls!.factors["method"], ["random_words", "shuffled_activations"]);
  const factors = { ...table2.factors, "method.coefficient": [1, 3] };
  const show = { as: "table", rows: ["method", "method.coefficient"], columns: "backbone" };
  assert.deepEqual(besideTables(changed(table2, { factors, show })), []);
});
