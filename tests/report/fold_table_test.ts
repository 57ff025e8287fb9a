import assert from "node:assert/strict";
import { foldTable, type ResultTable } from "../../lib/report/mod.ts";
import { pairedPermutationTest } from "../../lib/metrics/mod.ts";
import { near, reference } from "../metrics/_reference.ts";
import { createRandom } from "../../lib/tensor/mod.ts";
import {
  at,
  cellAt,
  experiment,
  measuredAt,
  run,
  spec,
  specOf,
  syntheticRuns,
} from "./_synthetic.ts";

const measured = (table: ResultTable, method: string, backbone = "resnet18") =>
  measuredAt(table, { method, backbone });

// Two concepts, one of them with two classes, two seeds:
//   seed 0: red/a 1, red/b 2, dog/a 6 -> mean 3;  seed 1: 3, 4, 8 -> mean 5.
const byHand = [[1, 3, "red", "a"], [2, 4, "red", "b"], [6, 8, "dog", "a"]] as const;
const original = byHand.flatMap(([first, second, concept, name]) => [
  run({ levels: { seed: 0 }, concept, class: name, value: first }),
  run({ levels: { seed: 1 }, concept, class: name, value: second }),
]);
const shifted = (by: number, levels: Record<string, string | number>) =>
  original.map((from) => ({ ...at(from, levels), value: from.value + by }));

Deno.test("foldTable() averages concepts or pairs, then seeds, by hand", () => {
  const cell = measured(foldTable(original, spec), "original_cav");
  assert.equal(cell.mean, 4);
  assert.ok(Math.abs(cell.std! - Math.SQRT2) < 1e-12);
  assert.equal(cell.concepts, 2);
  assert.equal(cell.values, 3);
  assert.equal(cell.against, null);
  // Resamples are red red, red dog, dog dog: means 2.5, 4 and 7; the tails hold a quarter each.
  assert.deepEqual([cell.low, cell.high], [2.5, 7]);
});

Deno.test("foldTable() puts two methods on two backbones where they belong", () => {
  const runs = [
    ...shifted(0, {}),
    ...shifted(10, { method: "lg_cav" }),
    ...shifted(20, { backbone: "vgg13" }),
    ...shifted(50, { method: "lg_cav", backbone: "vgg13" }),
  ];
  const { rows, columns } = foldTable(runs, spec);
  assert.deepEqual(columns.map(({ title, short }) => [title, short]), [
    ["ResNet-18", "RN18"],
    ["VGG-13", "VGG13"],
  ]);
  assert.deepEqual(
    rows.map(({ levels, cells }) => [
      levels["method"],
      ...cells.map((cell) => cell.status === "measured" ? cell.mean : cell.status),
    ]),
    [["original_cav", 4, 24], ["lg_cav", 14, 54], ["lg_cav+ga", "not run", "not run"]],
  );
});

Deno.test("foldTable() compares with the nearest measured row above, concepts as clusters", () => {
  const better = original.map((from) => ({
    ...at(from, { method: "lg_cav+ga" }),
    value: from.value + (from.concept === "red" ? 1 : 4),
  }));
  const table = foldTable([...original, ...better], spec);
  assert.equal(cellAt(table, { method: "lg_cav", backbone: "resnet18" }).status, "not run");
  const comparison = measured(table, "lg_cav+ga").against!;
  assert.equal(comparison.level, "original_cav");
  assert.equal(comparison.difference, 2);
  assert.deepEqual([comparison.low, comparison.high], [1, 4]);
  // Sums of the concepts' differences are 2 and 4: two of four sign patterns reach 6.
  assert.equal(comparison.pValue, 0.5);
});

Deno.test("foldTable() compares rows that differ in the last row factor only", () => {
  const layered = specOf({
    factors: {
      dataset: ["broden"],
      backbone: ["resnet18"],
      layer: ["last", "intermediate"],
      vlModel: ["clip_vit_l_14"],
      method: ["original_cav", "lg_cav"],
      seed: [0, 1],
    },
    show: { as: "table", rows: ["layer", "method"], columns: ["backbone"], statistic: "mean" },
  });
  const table = foldTable([
    ...shifted(0, {}),
    ...shifted(1, { method: "lg_cav" }),
    ...shifted(10, { layer: "intermediate" }),
    ...shifted(13, { layer: "intermediate", method: "lg_cav" }),
  ], layered);
  const differences = table.rows.map(({ cells: [cell] }) =>
    cell!.status === "measured" ? cell!.against?.difference : undefined
  );
  assert.deepEqual(differences, [undefined, 1, undefined, 3]);
  assert.equal(table.rows[3]!.title, "intermediate, LG-CAV");
});

Deno.test("foldTable() compares columns where the experiment says so", () => {
  const table = foldTable(
    [...original, ...shifted(3, { backbone: "vgg13" }), ...shifted(9, { method: "lg_cav" })],
    specOf({
      show: {
        as: "table",
        rows: ["method"],
        columns: ["backbone"],
        compare: "backbone",
        statistic: "mean",
      },
    }),
  );
  const { against } = measured(table, "original_cav", "vgg13");
  assert.deepEqual([against?.level, against?.difference], ["resnet18", 3]);
  assert.equal(measured(table, "lg_cav").against, null);
});

Deno.test("foldTable() of lines has a column for each level of x, in order", () => {
  const { factors } = { factors: { dataset: ["broden"], layer: ["last"], vlModel: ["clip"] } };
  const lines = specOf({
    factors: {
      ...factors,
      backbone: ["resnet18"],
      method: ["original_cav", "lg_cav"],
      seed: [0, 1],
      "probes.count": [50, 100, "pool"],
    },
    measures: ["concept_accuracy", "concept_to_class_accuracy"],
    show: {
      as: "lines",
      x: "probes.count",
      series: ["method"],
      panels: ["measure"],
      scale: "log",
    },
  });
  const runs = ["concept_accuracy", "concept_to_class_accuracy"].flatMap((measure, m) =>
    ["original_cav", "lg_cav"].flatMap((method, k) =>
      [50, 100, "pool"].flatMap((count, x) =>
        shifted(100 * m + 10 * k + x, { method, vlModel: "clip", "probes.count": count })
          .map((from) => ({ ...from, measure }))
      )
    )
  );
  const table = foldTable(runs, lines);
  assert.deepEqual(table.columns.map(({ levels }) => levels["probes.count"]), [50, 100, "pool"]);
  assert.deepEqual(
    table.rows.map(({ title, cells }) => [
      title,
      ...cells.map((cell) => cell.status === "measured" ? [cell.mean, cell.against?.level] : []),
    ]),
    [
      ["Concept accuracy, Original CAV", [4, undefined], [5, undefined], [6, undefined]],
      ["Concept accuracy, LG-CAV", ...[14, 15, 16].map((mean) => [mean, "original_cav"])],
      [
        "Concept-to-class accuracy, Original CAV",
        ...[104, 105, 106].map((mean) => [mean, undefined]),
      ],
      [
        "Concept-to-class accuracy, LG-CAV",
        ...[114, 115, 116].map((mean) => [mean, "original_cav"]),
      ],
    ],
  );
});

Deno.test("foldTable() of deviations compares nothing", () => {
  const deviations = specOf({
    show: { as: "table", rows: ["method"], columns: ["backbone"], statistic: "std" },
  });
  const table = foldTable([...original, ...shifted(1, { method: "lg_cav" })], deviations);
  // The means of the seeds are 4 and 6.
  const { std, against } = measured(table, "lg_cav");
  assert.ok(Math.abs(std! - Math.SQRT2) < 1e-12);
  assert.equal(against, null);
});

Deno.test("foldTable() does not depend on the order of the runs", () => {
  const runs = syntheticRuns();
  assert.deepEqual(foldTable(createRandom(3).shuffle(runs), spec), foldTable(runs, spec));
});

Deno.test("foldTable() gives a cell the same numbers whatever stands beside it", () => {
  const runs = syntheticRuns();
  const alone = foldTable(runs, { ...spec, columns: [spec.columns[1]!] });
  const both = foldTable(runs, spec);
  alone.rows.forEach((row, i) => assert.deepEqual(row.cells[0], both.rows[i]!.cells[1]));
});

Deno.test("foldTable() of a constant shift finds the shift and no spread", () => {
  const runs = [...original, ...shifted(2.5, { method: "lg_cav" })];
  const { difference, low, high } = measured(foldTable(runs, spec), "lg_cav").against!;
  assert.deepEqual([difference, low, high], [2.5, 2.5, 2.5]);
});

Deno.test("foldTable() shows what the paper quotes, and compares with what was measured", () => {
  const numbers = [{
    levels: { method: "lg_cav", backbone: "resnet18", layer: "last" },
    value: 91,
    quoted: true,
  }, {
    levels: { method: "lg_cav", backbone: "vgg13", layer: "intermediate" },
    value: 92,
    quoted: true,
  }];
  const paperNumbers = { source: "the paper", statistic: "mean" as const, numbers };
  const runs = [...original, ...shifted(0, { method: "lg_cav+ga" })];
  const table = foldTable(runs, { ...spec, paperNumbers });
  assert.deepEqual(table.rows[1]!.cells, [{ status: "quoted", mean: 91 }, { status: "not run" }]);
  assert.equal(measured(table, "lg_cav+ga").against!.level, "original_cav");
  assert.equal(measured(table, "lg_cav+ga").against!.pValue, 1);
});

Deno.test("foldTable() passes over other levels, measures, concepts and failed runs", () => {
  const others = [
    at(run({ value: 100 }), { dataset: "imagenet" }),
    at(run({ value: 100 }), { layer: "intermediate" }),
    at(run({ value: 100 }), { method: "oa_tcav" }),
    run({ measure: "tcav_score", value: 100 }),
    { ...at(run({ value: 100 }), { seed: 9 }), status: "failed" as "measured" },
  ];
  assert.deepEqual(foldTable([...original, ...others], spec), foldTable(original, spec));
  const { mean, concepts } = measured(
    foldTable(original, { ...spec, concepts: ["dog"] }),
    "original_cav",
  );
  assert.deepEqual([mean, concepts], [7, 1]);
});

Deno.test("foldTable() refuses incomplete, repeated and non-finite values of a cell", () => {
  const fold = (runs: typeof original) => () => foldTable(runs, spec);
  assert.throws(fold(original.slice(1)), /original_cav on resnet18.*seed 0.*red/s);
  assert.throws(fold([...original, original[0]!]), /4 values for 3/);
  assert.throws(fold(original.with(0, { ...original[0]!, value: NaN })), /finite/);
});

Deno.test("foldTable() refuses to pair cells that were measured on other concepts", () => {
  const others = original.map((from) => ({
    ...at(from, { method: "lg_cav" }),
    concept: from.concept === "dog" ? "cat" : from.concept,
  }));
  assert.throws(() => foldTable([...original, ...others], spec), /same concepts/);
});

Deno.test("foldTable() of one seed knows no standard deviation", () => {
  const runs = original.filter(({ levels }) => levels["seed"] === 0);
  assert.equal(measured(foldTable(runs, spec), "original_cav").std, null);
});

Deno.test("foldTable() draws the sign patterns of a cell by its method, backbone and shown levels", () => {
  const random = createRandom("differences");
  const differences = Array.from({ length: 12 }, () => random.normal() + 0.3);
  const runs = (shots: Record<string, number>) =>
    differences.flatMap((value, i) => [
      run({ levels: { ...shots }, concept: `concept ${String(i).padStart(2, "0")}`, value: 0 }),
      run({
        levels: { method: "lg_cav", ...shots },
        concept: `concept ${String(i).padStart(2, "0")}`,
        value,
      }),
    ]);
  const expected = (name: string) =>
    pairedPermutationTest(differences, {
      permutations: 200,
      random: createRandom(0).split("permutation").split(name),
    });
  const plain = measured(foldTable(runs({}), spec), "lg_cav").against!;
  assert.equal(plain.pValue, expected("lg_cav on resnet18"));
  const lines = specOf({
    factors: { ...experiment().factors, backbone: ["resnet18"], shots: [1, 5] },
    show: { as: "lines", x: "shots", series: ["method"], panels: ["backbone"], scale: "linear" },
  });
  const table = foldTable(runs({ shots: 5 }), lines);
  const { against } = measuredAt(table, { method: "lg_cav", backbone: "resnet18", shots: 5 });
  assert.equal(against!.pValue, expected("lg_cav on resnet18, shots 5"));
  assert.notEqual(against!.pValue, plain.pValue);
});

// Nine classes of unequal size by two methods and three seeds; see tools/fixtures/metrics.py.
const ofClasses = (measure: string) =>
  (["before", "after"] as const).flatMap((field, m) =>
    (reference.weighted[field] as number[][]).flatMap((values, seed) =>
      values.map((value, i) =>
        run({
          levels: { seed, method: m === 0 ? "original_cav" : "lg_cav" },
          measure,
          concept: `class ${i}`,
          weight: reference.weighted.weights[i],
          value,
        })
      )
    )
  );
const classSpec = (measure: "top1_accuracy" | "worst_group_accuracy") => {
  const { statistics } = experiment();
  const permutations = { value: 1000, source: "assumed" };
  return specOf({ measures: [measure], statistics: { ...statistics, permutations } });
};

Deno.test("foldTable() weighs values as NumPy and SciPy do: means, deviation, difference, p", () => {
  const table = foldTable(ofClasses("top1_accuracy"), classSpec("top1_accuracy"));
  const expected = reference.weighted;
  const { mean, std } = measured(table, "original_cav");
  assert.ok(near(mean, expected.meanOfSeeds) && near(std!, expected.deviationOfSeeds));
  const { difference, pValue } = measured(table, "lg_cav").against!;
  assert.ok(near(difference, expected.difference));
  assert.ok(near(pValue!, expected.pValue), `${pValue} for ${expected.pValue}`);
});

Deno.test("foldTable() of a value of weight 3 is that of three equal values of its concept", () => {
  const weights = [1, 3, 2, 5, 1, 4];
  const weighted = weights.flatMap((weight, i) =>
    ["original_cav", "lg_cav"].map((method, m) =>
      run({
        levels: { method },
        concept: `concept ${i}`,
        weight,
        value: (7 * i) % 5 + m * (1 - i / 3),
      })
    )
  );
  const repeated = weighted.flatMap((from) =>
    Array.from({ length: from.weight }, (_, k) => ({ ...from, class: `${k}`, weight: 1 }))
  );
  for (const method of ["original_cav", "lg_cav"]) {
    const cell = measured(foldTable(weighted, spec), method);
    const other = measured(foldTable(repeated, spec), method);
    for (const field of ["mean", "low", "high"] as const) {
      assert.ok(near(cell[field]!, other[field]!), `${method} ${field}`);
    }
    for (const field of ["difference", "low", "high", "pValue"] as const) {
      if (cell.against === null) continue;
      assert.ok(near(cell.against[field]!, other.against![field]!), field);
    }
  }
});

Deno.test("foldTable() takes the least value of each seed where the measure says so, as NumPy does", () => {
  const runs = ofClasses("worst_group_accuracy");
  const table = foldTable(runs, classSpec("worst_group_accuracy"));
  const { least, leastDeviation, leastDifference } = reference.weighted;
  const { mean, std, low, high } = measured(table, "original_cav");
  assert.ok(near(mean, least) && near(std!, leastDeviation));
  assert.deepEqual([low, high], [null, null]);
  const { difference, ...others } = measured(table, "lg_cav").against!;
  assert.ok(near(difference, leastDifference));
  assert.deepEqual(others, { level: "original_cav", low: null, high: null, pValue: null });
});

Deno.test("foldTable() refuses weights that differ between seeds or between what is compared", () => {
  const changed = original.with(1, { ...original[1]!, weight: 2 });
  assert.throws(() => foldTable(changed, spec), /one weight for one seed and another/);
  const others = original.map((from) => ({ ...at(from, { method: "lg_cav" }), weight: 2 }));
  assert.throws(() => foldTable([...original, ...others], spec), /another weight in one of them/);
});
