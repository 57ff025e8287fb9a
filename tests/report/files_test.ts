import assert from "node:assert/strict";
import { fromArrow, fromCSV } from "arquero";
import type { Run } from "../../lib/experiment/mod.ts";
import {
  contrastsJson,
  foldContrasts,
  foldTable,
  readResults,
  readRunsArrow,
  readTableJson,
  refoldResult,
  resultFiles,
  type ResultSpec,
  runsArrow,
  runsCsv,
  sortRuns,
  tableCsv,
  tableJson,
} from "../../lib/report/mod.ts";
import { createRandom } from "../../lib/tensor/mod.ts";
import { experiment, measuredAt, run, spec, specOf, syntheticRuns } from "./_synthetic.ts";

const runs = syntheticRuns();
const table = foldTable(runs, spec);
const tested = foldContrasts(runs, spec);

/** Numbers whole and not, names, and both in one factor. */
const swept = [[1, 0.1, "pool"], [10, 0.25, 50], [2, 3, 1000]].flatMap(([shots, weight, count]) =>
  ["b", "a"].map((image) =>
    run({
      levels: { shots: shots!, "method.coefficient": weight!, "probes.count": count! },
      image,
      value: Math.PI * Number(shots),
    })
  )
);

Deno.test("runsArrow() and readRunsArrow() keep every bit of every run", () => {
  assert.deepEqual(readRunsArrow(runsArrow(runs)), sortRuns(runs));
  assert.deepEqual(readRunsArrow(runsArrow(swept)), sortRuns(swept));
  assert.deepEqual(readRunsArrow(runsArrow([])), []);
});

Deno.test("sortRuns() orders factors one after the other, numbers by size and before names", () => {
  const counts = sortRuns(swept.map((run) => {
    const { "probes.count": count, ...levels } = run.levels;
    return { ...run, levels: { ...levels, shots: 1, "method.coefficient": 1, count: count! } };
  })).map(({ levels, image }) => [levels["count"], image]);
  assert.deepEqual(counts, [50, 1000, "pool"].flatMap((count) => [[count, "a"], [count, "b"]]));
});

Deno.test("runsCsv() has a column for each factor, and image where a run has one", () => {
  const header = (runs: readonly Run[]) => runsCsv(runs).split("\n")[0];
  const core = "dataset,backbone,layer,vlModel,method,seed";
  assert.equal(header(runs), `${core},measure,concept,class,value,weight,status`);
  assert.equal(
    header(swept),
    `${core},shots,method.coefficient,probes.count,measure,concept,class,image,value,weight,status`,
  );
});

Deno.test("runsArrow() and runsCsv() do not depend on the order of the runs", () => {
  const shuffled = createRandom(5).shuffle(runs);
  assert.deepEqual(runsArrow(shuffled), runsArrow(runs));
  assert.equal(runsCsv(shuffled), runsCsv(runs));
});

Deno.test("runsArrow() is read by arquero, numeric factors as numbers", () => {
  const read = fromArrow(runsArrow(swept));
  assert.equal(read.numRows(), swept.length);
  assert.equal(read.get("value", 0), sortRuns(swept)[0]!.value);
  assert.deepEqual([...read.array("shots")], [1, 1, 2, 2, 10, 10]);
  assert.deepEqual([...read.array("method.coefficient")], [0.1, 0.1, 3, 3, 0.25, 0.25]);
});

Deno.test("runsArrow() refuses levels that would read back as others", () => {
  const text = run({ levels: { shots: "10" }, value: 1 });
  assert.throws(() => runsArrow([text]), /"10" of shots.*number/);
  assert.throws(() => runsArrow([run({ value: 1 }), swept[0]!]), /factors/);
});

Deno.test("readRunsArrow() refuses what is no measured run", () => {
  assert.throws(() => readRunsArrow(runsArrow([run({ value: NaN })])), /row 0.*NaN/);
  const failed = { ...run({ value: 1 }), status: "failed" as "measured" };
  assert.throws(() => readRunsArrow(runsArrow([failed])), /failed/);
});

Deno.test("runsCsv() quotes commas and reads back to the same numbers", () => {
  const read = fromCSV(runsCsv(runs));
  assert.ok(runsCsv(runs).includes('"class, 0"'));
  assert.deepEqual([...read.array("value")], sortRuns(runs).map(({ value }) => value));
});

Deno.test("tableJson() and readTableJson() keep the table, and refuse another version", () => {
  assert.deepEqual(readTableJson(tableJson(table)), table);
  assert.throws(
    () => readTableJson(tableJson({ ...table, version: 2 as 4 })),
    /table version 2.*table version 4/,
  );
});

Deno.test("tableCsv() holds one row for each cell, in full precision", () => {
  const read = fromCSV(tableCsv(table));
  assert.equal(read.numRows(), spec.rows.length * spec.columns.length);
  const cell = measuredAt(table, { method: "lg_cav", backbone: "resnet18" });
  assert.equal(read.get("method", 2), "lg_cav");
  assert.equal(read.get("mean", 2), cell.mean);
  assert.equal(read.get("against", 2), "original_cav");
  assert.equal(read.get("p_value", 2), cell.against!.pValue);
});

const lines = specOf({
  show: { as: "lines", x: "backbone", series: ["method"], panels: ["measure"], scale: "linear" },
});
const deviations = specOf({
  show: { as: "table", rows: ["method"], columns: ["backbone"], statistic: "std" },
});
const histogram = specOf({
  factors: { ...experiment().factors, backbone: ["resnet18"] },
  concepts: ["concept 00", "concept 01"],
  show: {
    as: "histogram",
    series: ["method"],
    panels: ["backbone"],
    bins: { value: 5, source: "assumed" },
  },
});
const beside = {
  ...spec,
  paperNumbers: {
    source: "the paper",
    statistic: "mean" as const,
    numbers: [{ levels: { method: "lg_cav" }, value: 1, quoted: false }],
  },
};

Deno.test("refoldResult() of stored files gives the same bytes, whatever is shown", () => {
  const names = ["table.md", "table.csv", "table.json", "figure.json", "runs.csv", "runs.arrow"];
  const check = (spec: ResultSpec) => {
    const { files } = resultFiles(createRandom(2).shuffle(runs), spec);
    const compared = spec.show.as === "histogram" ? [] : ["contrasts.csv", "contrasts.json"];
    assert.deepEqual([...files.keys()].sort(), [...names, ...compared].sort());
    const refolded = refoldResult({
      tableJson: new TextDecoder().decode(files.get("table.json")),
      runsArrow: files.get("runs.arrow")!,
    });
    for (const name of files.keys()) {
      assert.deepEqual(refolded.files.get(name), files.get(name), name);
    }
  };
  [spec, beside, lines, deviations, histogram].forEach(check);
});

Deno.test("readResults() reads what was written, and says how to make what was not", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const written = `${folder}/table2`;
    await Deno.mkdir(written);
    await Deno.writeTextFile(`${written}/table.json`, tableJson(table));
    await Deno.writeTextFile(`${written}/contrasts.json`, contrastsJson({ ...table, tested }));
    await Deno.writeFile(`${written}/runs.arrow`, runsArrow(runs));
    const { table2 } = await readResults(folder, ["table2"]);
    assert.deepEqual(table2.result, { ...table, tested });
    const values = [...table2.runs.array("value")];
    assert.deepEqual(values, sortRuns(runs).map(({ value }) => value));
    await Deno.writeFile(`${written}/runs.arrow`, runsArrow([]));
    const empty = (await readResults(folder, ["table2"])).table2.runs;
    assert.deepEqual([empty.numRows(), empty.columnNames().includes("value")], [0, true]);
    await assert.rejects(
      readResults(folder, ["table1", "table2", "table8"]),
      /no result table1, table8 yet.*`deno task reproduce table1 table8`/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
