import assert from "node:assert/strict";
import type { Run } from "../../lib/experiment/mod.ts";
import {
  describeResult,
  foldHistogram,
  markdown,
  resultFigure,
  tableRows,
} from "../../lib/report/mod.ts";
import { createRandom } from "../../lib/tensor/mod.ts";
import { experiment, run, specOf } from "./_synthetic.ts";

const spec = specOf({
  id: "figure2b",
  paper: "Figure 2b",
  factors: { ...experiment().factors, backbone: ["resnet18"], method: ["lg_cav"], seed: [0, 1] },
  concepts: ["red"],
  measures: ["vl_activation", "cav_activation"],
  show: {
    as: "histogram",
    series: ["measure"],
    panels: ["backbone"],
    bins: { value: 4, source: "assumed" },
  },
});

const activations = (measure: string, values: readonly number[]): Run[] =>
  values.map((value, i) =>
    run({
      levels: { method: "lg_cav", seed: i % 2 },
      measure,
      image: `image ${i}`,
      value,
    })
  );

// From 0 to 4 in four bins: the edge 1 belongs to the second, the highest value to the last.
const values = [4, 0, 1, 1, 3, 3];
const runs = [
  ...activations("vl_activation", values),
  run({ levels: { method: "lg_cav" }, measure: "vl_activation", concept: "dog", value: 99 }),
];

Deno.test("foldHistogram() counts, by hand", () => {
  const [row, other] = foldHistogram(runs, spec).rows;
  assert.ok(row!.histogram.status === "measured");
  assert.deepEqual(row!.histogram.edges, [0, 1, 2, 3, 4]);
  assert.deepEqual(row!.histogram.counts, [1, 2, 0, 3]);
  assert.equal(row!.histogram.values, 6);
  assert.equal(row!.histogram.mean, 2);
  // Squares of the differences from 2: 4, 4, 1, 1, 1, 1.
  assert.ok(Math.abs(row!.histogram.deviation - Math.SQRT2) < 1e-15);
  assert.deepEqual(other!.histogram, { status: "not run" });
});

Deno.test("foldHistogram() does not depend on the order of the runs", () => {
  assert.deepEqual(foldHistogram(createRandom(1).shuffle(runs), spec), foldHistogram(runs, spec));
});

Deno.test("foldHistogram() of equal values puts them around the middle, without a curve", () => {
  const result = foldHistogram(activations("vl_activation", [2, 2, 2]), spec);
  const { histogram } = result.rows[0]!;
  assert.ok(histogram.status === "measured");
  assert.deepEqual(histogram.edges, [1.5, 1.75, 2, 2.25, 2.5]);
  assert.deepEqual(histogram.counts, [0, 0, 3, 0]);
  assert.deepEqual(resultFigure(result).data[1]!["x"], []);
});

Deno.test("foldHistogram() refuses values that are not finite", () => {
  assert.throws(() => foldHistogram(activations("vl_activation", [1, NaN]), spec), /NaN/);
});

Deno.test("a histogram's table, figure and words hold the same numbers", () => {
  const result = foldHistogram(runs, spec);
  assert.deepEqual(
    tableRows(result).map(({ measure, low, high, count }) => [measure, low, high, count]),
    [
      ["vl_activation", 0, 1, 1],
      ["vl_activation", 1, 2, 2],
      ["vl_activation", 2, 3, 0],
      ["vl_activation", 3, 4, 3],
    ],
  );
  assert.match(markdown(result), /^\| VL model \| 6 \| 2\.000 \| 1\.414 \| 0\.000 \| 4\.000 \|$/m);
  assert.match(describeResult(result), /VL model\*\*: mean 2\.000, deviation 1\.414 \(6 values\)/);
  const [bars, curve] = resultFigure(result).data as unknown as { x: number[]; y: number[] }[];
  assert.deepEqual(bars!.x, [0.5, 1.5, 2.5, 3.5]);
  assert.deepEqual(bars!.y, [0.166667, 0.333333, 0, 0.5]);
  // The Gaussian at its mean, 2: 1 / (sqrt(2) sqrt(2 pi)).
  assert.equal(curve!.y[50], 0.282095);
});
