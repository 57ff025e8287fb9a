import assert from "node:assert/strict";
import { UserError } from "../../lib/files/mod.ts";
import { type PaperNumbers, resultSpec, type ShownExperiment } from "../../lib/report/mod.ts";
import { experiment, options, spec, specOf } from "./_synthetic.ts";

const { factors } = experiment();

Deno.test("resultSpec() has a row for each combination that is not excluded everywhere", () => {
  const show = {
    as: "table" as const,
    rows: ["method", "vlModel"],
    columns: ["backbone"],
    statistic: "mean" as const,
  };
  const { rows, columns } = specOf({
    factors: { ...factors, method: ["original_cav", "lg_cav"], vlModel: ["clip", "eva_clip"] },
    exclude: [
      { method: ["original_cav"], vlModel: ["eva_clip"] },
      // One cell of a row: the row stays.
      { method: ["lg_cav"], vlModel: ["eva_clip"], backbone: ["vgg13"] },
    ],
    show,
  });
  assert.deepEqual(rows.map(({ title, short }) => [title, short]), [
    ["Original CAV, clip", "Original, clip"],
    ["LG-CAV, clip", "LG-CAV, clip"],
    ["LG-CAV, eva_clip", "LG-CAV, eva_clip"],
  ]);
  assert.deepEqual(columns.map(({ levels }) => levels), [
    { backbone: "resnet18" },
    { backbone: "vgg13" },
  ]);
});

Deno.test("resultSpec() leaves levels that do not vary out of titles", () => {
  const { rows } = specOf({
    show: {
      as: "lines",
      x: "backbone",
      series: ["method"],
      panels: ["measure"],
      scale: "linear",
    },
  });
  assert.deepEqual(rows.map(({ title }) => title), ["Original CAV", "LG-CAV", "LG-CAV + GA"]);
  assert.equal(rows[0]!.levels["measure"], "concept_to_class_accuracy");
});

Deno.test("resultSpec() puts the word of a mark behind the titles of what has the marked level", () => {
  const { rows, columns } = specOf({
    show: {
      as: "table",
      rows: ["method"],
      columns: ["backbone"],
      statistic: "mean",
      mark: { factor: "method", level: "lg_cav", as: "paper" },
    },
  });
  assert.deepEqual(rows.map(({ title }) => title), [
    "Original CAV",
    "LG-CAV (paper)",
    "LG-CAV + GA",
  ]);
  assert.equal(rows[1]!.short, "LG-CAV (paper)");
  assert.ok(columns.every(({ title }) => !title.includes("paper")));
});

Deno.test("resultSpec() is plain data", () => {
  assert.deepEqual(JSON.parse(JSON.stringify(spec)), spec);
});

Deno.test("resultSpec() refuses to hide, repeat or invent a factor", () => {
  const refused = (fields: Partial<ShownExperiment>, message: RegExp) =>
    assert.throws(
      () => specOf(fields),
      (error) => error instanceof UserError && message.test(error.message),
    );
  const table = { as: "table" as const, statistic: "mean" as const };
  refused({ show: { ...table, rows: ["method"], columns: ["layer"] } }, /2 levels of "backbone"/);
  refused({ show: { ...table, rows: ["method"], columns: ["metod"] } }, /"metod".*method/);
  refused({ show: { ...table, rows: ["method"], columns: ["seed"] } }, /averaged/);
  refused({ show: { ...table, rows: ["method", "backbone"], columns: ["method"] } }, /twice/);
  refused(
    { show: { ...table, rows: ["method"], columns: ["backbone"], compare: "layer" } },
    /compares levels of "layer"/,
  );
  refused({ measures: ["concept_accuracy", "tcav_score"] }, /2 levels of "measure"/);
  const marking = (factor: string, level: string | number) => ({
    show: {
      ...table,
      rows: ["method"],
      columns: ["backbone"],
      mark: { factor, level, as: "ours" },
    },
  });
  refused(marking("backbone", "resnet19"), /marks resnet19 of "backbone", which it does not show/);
  refused(marking("vlModel", "clip"), /Mark a level of one of method, backbone\./);
});

Deno.test("resultSpec() refuses the paper's deviations beside means", () => {
  const paperNumbers = { source: "the paper, Table 16", statistic: "std" as const, numbers: [] };
  assert.throws(
    () => resultSpec(experiment(), { ...options, paperNumbers }),
    /shows the mean.*Table 16.*std/,
  );
});

Deno.test("resultSpec() shows quoted combinations only beside the paper's numbers", () => {
  const quoting = experiment({ quoted: [{ method: ["lg_cav+ga"] }] });
  const methods = (paperNumbers: PaperNumbers | null) =>
    resultSpec(quoting, { ...options, paperNumbers }).rows.map(({ levels }) => levels["method"]);
  assert.deepEqual(methods(null), ["original_cav", "lg_cav"]);
  const paperNumbers = { source: "the paper", statistic: "mean" as const, numbers: [] };
  assert.deepEqual(methods(paperNumbers), ["original_cav", "lg_cav", "lg_cav+ga"]);
});
