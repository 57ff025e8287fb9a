import assert from "node:assert/strict";
import { table as arqueroTable } from "arquero";
import {
  describeResult,
  differenceFigure,
  displayBundle,
  foldResult,
  foldTable,
  markdown,
  resultBundle,
  resultFigure,
  type ResultSpec,
  resultSpec,
} from "../../lib/report/mod.ts";
import {
  at,
  experiment,
  measuredAt,
  options,
  run,
  spec,
  specOf,
  syntheticRuns,
} from "./_synthetic.ts";

const runs = syntheticRuns();
const table = foldTable(runs, spec);

/** Two concepts and two seeds of the original CAV and LG-CAV, which is 1 higher. */
const byHand = [[1, 1], [1, 4]].flatMap(([first, second], seed) => [
  run({ levels: { seed }, concept: "red", value: first! }),
  run({ levels: { seed }, concept: "dog", value: second! }),
  run({ levels: { seed, method: "lg_cav" }, concept: "red", value: first! + 1 }),
  run({ levels: { seed, method: "lg_cav" }, concept: "dog", value: second! + 1 }),
]);

Deno.test("markdown() prints means, deviations, intervals and tests", () => {
  const text = markdown(foldTable(byHand, spec));
  // Seeds have the means 1 and 2.5: 1.75 +- 1.5 / sqrt 2.
  assert.match(text, /^# Table 2\. Concept-to-class accuracy of CAV methods$/m);
  assert.match(text, /^\| Method \/ Backbone \| ResNet-18 \| VGG-13 \|$/m);
  assert.match(text, /^\| Original CAV \| 1\.75 ± 1\.06 \| not run \|$/m);
  assert.match(text, /^\| LG-CAV \| \*\*2\.75\*\* ± 1\.06 \| not run \|$/m);
  assert.match(text, /^\| LG-CAV \| \[2\.00, 3\.50\] \| not run \|$/m);
  assert.match(text, /^\| LG-CAV \| \+1\.00 \[1\.00, 1\.00\], p = 0\.5000 \| not run \|$/m);
  assert.match(text, /highest measured mean/);
  assert.match(text, /2 concepts/);
  assert.match(text, /random direction: 0 on average/);
  assert.match(text, /\(figure\.svg\)/);
  assert.doesNotMatch(text, /Against the paper/);
});

Deno.test("markdown() of least values has no interval and no test, and says so", () => {
  const worst = specOf({ measures: ["worst_group_accuracy"], prediction: "It rises by 1." });
  const runs = byHand.map((from) => ({ ...from, measure: "worst_group_accuracy" }));
  const text = markdown(foldTable(runs, worst));
  // The least of the seeds are both 1.
  assert.match(text, /^\| LG-CAV \| \*\*2\.00\*\* ± 0\.00 \| not run \|$/m);
  assert.match(text, /^\| LG-CAV \| none \| not run \|$/m);
  assert.match(text, /^\| LG-CAV \| \+1\.00 \| not run \|$/m);
  assert.match(text, /Mean over seeds of the least of 2 groups of 2 classes, ±/);
  assert.match(text, /Worst-group accuracy: a least value, which has no interval and no test/);
  assert.match(text, /^Expected before the first run: It rises by 1\.$/m);
  assert.equal(
    describeResult(foldTable(runs, worst)).split("\n")[1],
    "- **LG-CAV** against Original CAV: higher on 1 of 1 backbone (+1.00).",
  );
});

Deno.test("markdown() of accuracies says that classes count by their images", () => {
  const runs = byHand.map((from) => ({ ...from, measure: "top1_accuracy", weight: 7 }));
  const text = markdown(foldTable(runs, specOf({ measures: ["top1_accuracy"] })));
  assert.match(text, /Mean over seeds of the mean over 2 classes by their images/);
  assert.match(text, /of the mean, resampling classes\./);
});

Deno.test("markdown() marks the lowest of a measure of which less is better, and no other", () => {
  const directed = (direction: "lower" | "none"): ResultSpec => ({
    ...spec,
    measures: spec.measures.map((measure) => ({ ...measure, direction })),
  });
  const lowest = markdown(foldTable(byHand, directed("lower")));
  assert.match(lowest, /^\| Original CAV \| \*\*1\.75\*\* ± 1\.06/m);
  assert.match(lowest, /^\| LG-CAV \| 2\.75 ± 1\.06/m);
  assert.match(lowest, /lowest measured mean/);
  assert.doesNotMatch(markdown(foldTable(byHand, directed("none"))), /\*\*|Bold/);
});

Deno.test("markdown() of deviations shows them, without a mark or a test", () => {
  const deviations = specOf({
    show: { as: "table", rows: ["method"], columns: ["backbone"], statistic: "std" },
  });
  const text = markdown(foldTable(byHand, deviations));
  assert.match(text, /^\| LG-CAV \| 1\.06 \| not run \|$/m);
  assert.match(text, /^\| LG-CAV \| 2\.75 \| not run \|$/m);
  assert.doesNotMatch(text, /\*\*|Bold|p = /);
});

Deno.test("markdown() shows measured, paper and difference where the paper's numbers are given", () => {
  const number = { levels: { method: "lg_cav", backbone: "resnet18" }, value: 3, quoted: false };
  const withPaper = (statistic: "mean" | "std") => {
    const show = { as: "table" as const, rows: ["method"], columns: ["backbone"], statistic };
    const paperNumbers = { source: "the paper", statistic, numbers: [number] };
    return markdown(
      foldTable(byHand, resultSpec(experiment({ show }), { ...options, paperNumbers })),
    );
  };
  const means = withPaper("mean");
  assert.match(means, /^\| LG-CAV \| measured \| 2\.75 \| not run \|$/m);
  assert.match(means, /^\| {2}\| paper \| 3\.00 \| {2}\|$/m);
  assert.match(means, /^\| {2}\| difference \| -0\.25 \| {2}\|$/m);
  assert.match(withPaper("std"), /^\| {2}\| difference \| -1\.94 \| {2}\|$/m);
});

Deno.test("describeResult() counts wins and verdicts, by hand", () => {
  const cell = (backbone: string, method: string, values: readonly number[]) =>
    values.map((value, i) => run({ levels: { backbone, method }, concept: `concept ${i}`, value }));
  const described = foldResult([
    ...cell("resnet18", "original_cav", [1, 1, 1, 1, 1, 1, 1, 1]),
    ...cell("resnet18", "lg_cav", [2, 3, 3, 2, 3, 3, 2, 2]),
    ...cell("vgg13", "original_cav", [5, 5, 5, 5, 5, 5, 5, 5]),
    ...cell("vgg13", "lg_cav", [4, 4, 4, 4, 4, 4, 4, 4]),
  ], { ...spec, statistics: { ...spec.statistics, permutations: 256 } });
  // Eight differences of one sign: 2 of 256 sign patterns are as extreme, corrected for two 4.
  // Pooled they are 0 and 0.5, four each: 2 of 16 patterns of those that are not 0.
  assert.equal(
    describeResult(described).replace(/\[.*?\]/, "[interval]"),
    "- The method with the highest mean on 2 measured backbones: **LG-CAV** on 1, " +
      "**Original CAV** on 1.\n" +
      "- **LG-CAV − Original CAV**: pooled undecided, +0.25 [interval]; of 2 backbones " +
      "(-1.00 to +1.50) 1 above, 1 below.\n",
  );
});

Deno.test("describeResult() counts a draw for nobody", () => {
  const draw = byHand.map((run) => ({ ...run, value: 1 }));
  assert.match(
    describeResult(foldTable(draw, spec)),
    /^- The method with the highest mean on 1 measured backbone: several alike on 1\.$/m,
  );
});

Deno.test("describeResult() of deviations tells the range of each row", () => {
  const show = { as: "table", rows: ["method"], columns: ["backbone"], statistic: "std" } as const;
  // Seeds of ResNet-18 have the means 1 and 2.5: 1.5 / sqrt 2; of VGG-13 the means 2 and 5.
  const vgg13 = byHand.map((run) => at({ ...run, value: 2 * run.value }, { backbone: "vgg13" }));
  assert.equal(
    describeResult(
      foldTable([...byHand.slice(0, 2), ...byHand.slice(4, 6), ...vgg13], specOf({ show })),
    ),
    "- **Original CAV**: 1.06 to 2.12\n- **LG-CAV**: 2.12\n",
  );
});

Deno.test("describeResult() of nothing measured says so", () => {
  assert.match(describeResult(foldTable([], spec)), /Nothing/);
});

Deno.test("resultBundle() shows means, deviations and what was not run", () => {
  const runs = [run({ value: 1 }), at(run({ value: 2 }), { seed: 1 })];
  const bundle = resultBundle(foldTable(runs, spec));
  assert.match(String(bundle["text/plain"]), /Original CAV\|1\.50\s±\s0\.71\|not run/);
  assert.match(String(bundle["text/html"]), /<td[^>]*>1\.50\s±\s0\.71<\/td>/);
});

Deno.test("displayBundle() of a table shows as many rows as asked for, and says when there are more", () => {
  const numbers = arqueroTable({ a: [1.239, -0.0012, 3], b: [1, 2, 3] });
  const lines = (limit: number) =>
    String(displayBundle(numbers, { limit })["text/plain"]).trim().split("\n");
  assert.deepEqual(lines(3), ["|a|b|", "|-:|-:|", "|1.24|1|", "|0.00|2|", "|3.00|3|"]);
  assert.deepEqual(lines(1), ["|a|b|", "|-:|-:|", "|1.24|1|", "The first 1 of 3 rows."]);
});

interface Trace {
  readonly name: string;
  readonly x: (string | number)[];
  readonly y: number[];
  readonly xaxis: string;
  readonly error_y: { readonly array: number[]; readonly arrayminus: number[] };
}
const near = (a: number, b: number) => Math.abs(a - b) < 1e-4;

Deno.test("resultFigure() draws every cell with its interval and leaves out what was not run", () => {
  const partial = foldTable(runs.filter(({ levels }) => levels["backbone"] === "vgg13"), spec);
  const bars = resultFigure(partial).data as unknown as Trace[];
  assert.equal(bars.length, spec.rows.length);
  bars.forEach(({ x, y, error_y }, i) => {
    const { method } = partial.rows[i]!.levels;
    const cell = measuredAt(partial, { method: method!, backbone: "vgg13" });
    assert.deepEqual(x, ["VGG-13"]);
    assert.ok(near(y[0]! + error_y.array[0]!, cell.high!));
    assert.ok(near(y[0]! - error_y.arrayminus[0]!, cell.low!));
  });
});

Deno.test("resultFigure() of lines has a band and a line for each series in its panel", () => {
  const lines = specOf({
    factors: {
      ...experiment().factors,
      method: ["original_cav", "lg_cav"],
      "probes.count": [100, 10, "pool"],
    },
    show: {
      as: "lines",
      x: "probes.count",
      series: ["method"],
      panels: ["backbone"],
      scale: "log",
    },
  });
  const cells = ["resnet18", "vgg13"].flatMap((backbone) =>
    [10, 100].map((count) => {
      return run({ levels: { backbone, "probes.count": count }, value: count + 0.5 });
    })
  );
  const { data, layout } = resultFigure(foldTable(cells, lines));
  const traces = data as unknown as Trace[];
  assert.deepEqual(traces.map(({ name, xaxis }) => [name, xaxis]), [
    ["Original CAV", "x"],
    ["Original CAV", "x"],
    ["Original CAV", "x2"],
    ["Original CAV", "x2"],
  ]);
  // One concept: the interval is a point.
  assert.deepEqual(traces[0]!.x, [10, 100, 100, 10]);
  assert.deepEqual(traces[0]!.y, [10.5, 100.5, 100.5, 10.5]);
  assert.deepEqual([traces[1]!.x, traces[1]!.y], [[10, 100], [10.5, 100.5]]);
  const axis = layout["xaxis"] as Record<string, unknown>;
  // "pool" follows 10, which follows 100: one more step of a tenth.
  assert.deepEqual([axis["type"], axis["tickvals"]], ["log", [1, 10, 100]]);
  assert.deepEqual(axis["ticktext"], ["pool", "10", "100"]);
  assert.equal((layout["annotations"] as unknown[]).length, 2);
});

Deno.test("resultFigure() of lines draws a line at a marked level in each panel, with its word", () => {
  const marked = (scale: "linear" | "log") => {
    const lines = specOf({
      factors: { ...experiment().factors, method: ["lg_cav"], "probes.count": [10, 100] },
      show: {
        as: "lines",
        x: "probes.count",
        series: ["method"],
        panels: ["backbone"],
        scale,
        mark: { factor: "probes.count", level: 100, as: "paper" },
      },
    });
    const cells = ["resnet18", "vgg13"].map((backbone) =>
      run({ levels: { method: "lg_cav", backbone, "probes.count": 10 }, value: 1 })
    );
    return resultFigure(foldTable(cells, lines)).layout;
  };
  const shapes = marked("log")["shapes"] as Record<string, unknown>[];
  assert.deepEqual(shapes.map(({ xref, yref, x0, x1, y0, y1 }) => [xref, yref, x0, x1, y0, y1]), [
    ["x", "y domain", 100, 100, 0, 1],
    ["x2", "y2 domain", 100, 100, 0, 1],
  ]);
  const placesOf = (scale: "linear" | "log") =>
    (marked(scale)["annotations"] as Record<string, unknown>[])
      .flatMap(({ text, x, xref }) => text === "paper" ? [[xref, x]] : []);
  // Plotly takes annotations, unlike shapes, at the logarithm of a logarithmic axis.
  assert.deepEqual(placesOf("log"), [["x", 2], ["x2", 2]]);
  assert.deepEqual(placesOf("linear"), [["x", 100], ["x2", 100]]);
  const { ticktext } = marked("log")["xaxis"] as { readonly ticktext: readonly string[] };
  assert.deepEqual(ticktext, ["10", "100"], "the word stands at the line alone");
});

Deno.test("differenceFigure() holds the difference of every row from the one above", () => {
  const points = differenceFigure(table).data as unknown as Trace[];
  assert.deepEqual(points.map(({ name }) => name), ["ResNet-18", "VGG-13"]);
  const { against } = measuredAt(table, { method: "lg_cav+ga", backbone: "resnet18" });
  assert.ok(near(Number(points[0]!.x[1]), against!.difference));
});
