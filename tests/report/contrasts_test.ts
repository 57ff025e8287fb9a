import assert from "node:assert/strict";
import { foldContrasts, resultFiles, terminalTable } from "../../lib/report/mod.ts";
import { createRandom } from "../../lib/tensor/mod.ts";
import { experiment, run, spec, specOf, syntheticRuns } from "./_synthetic.ts";

const runs = syntheticRuns();

Deno.test("foldContrasts() pools a concept's values over backbones, by hand", () => {
  const gains = { resnet18: [1, 3], vgg13: [3, 5] };
  const byHand = Object.entries(gains).flatMap(([backbone, ofConcepts]) =>
    ["red", "dog"].flatMap((concept, i) =>
      [0, 1].flatMap((seed) => [
        run({ levels: { backbone, seed }, concept, value: seed }),
        run({
          levels: { backbone, seed, method: "lg_cav" },
          concept,
          value: seed + ofConcepts[i]!,
        }),
      ])
    )
  );
  const contrasts = foldContrasts(byHand, spec);
  assert.deepEqual(
    contrasts.map(({ level, against, levels, pooledOver, cells, effect }) => [
      level,
      against,
      levels["backbone"],
      pooledOver,
      cells,
      effect,
    ]),
    [
      ["lg_cav", "original_cav", undefined, ["backbone"], 2, 3],
      ["lg_cav", "original_cav", "resnet18", null, 1, 2],
      ["lg_cav", "original_cav", "vgg13", null, 1, 4],
    ],
  );
  // Pooled the concepts gain 2 and 4: both signs agree in two of four patterns.
  assert.deepEqual(
    contrasts.map(({ pValue, correctedPValue }) => [pValue, correctedPValue]),
    [[0.5, 0.5], [0.5, 1], [0.5, 1]],
  );
  assert.deepEqual([contrasts[0]!.low, contrasts[0]!.high], [2, 4]);
  // Two concepts, whatever the seed: the variance is theirs alone.
  assert.deepEqual(contrasts[0]!.variance, { concept: 2, seed: 0, residual: 0 });
});

Deno.test("foldContrasts() compares what the experiment names, once, and passes over what is not run", () => {
  const pair = (level: string, against: string) => ({ factor: "method", level, against });
  const named = specOf({
    contrasts: {
      over: ["backbone"],
      pairs: [
        pair("lg_cav+ga", "original_cav"),
        pair("lg_cav", "original_cav"),
        pair("lg_cav", "elsewhere"),
        { factor: "shots", level: 1, against: 2 },
      ],
    },
  });
  const pooled = foldContrasts(runs, named).filter(({ pooledOver }) => pooledOver !== null);
  assert.deepEqual(pooled.map(({ level, against }) => [level, against]), [
    ["lg_cav", "original_cav"],
    ["lg_cav+ga", "lg_cav"],
    ["lg_cav+ga", "original_cav"],
  ]);
  const [plain, ga, both] = pooled.map(({ effect }) => effect);
  assert.ok(Math.abs(plain! + ga! - both!) < 1e-12);
});

Deno.test("foldContrasts() gives each verdict where it is due", () => {
  const assumed = <T>(value: T) => ({ value, source: "assumed" });
  const { statistics } = experiment();
  const verdictOf = (shift: number, { spread, margin }: { spread: number; margin: number }) => {
    const random = createRandom(`verdict ${shift} ${spread}`);
    const values = Array.from({ length: 24 }, (_, i) => i).flatMap((i) =>
      [0, 1, 2].flatMap((seed) => [
        run({ levels: { seed }, concept: `${i}`, value: 0 }),
        run({
          levels: { seed, method: "lg_cav" },
          concept: `${i}`,
          value: shift + spread * random.normal(),
        }),
      ])
    );
    const [contrast] = foldContrasts(
      values,
      specOf({
        statistics: { ...statistics, margins: { concept_to_class_accuracy: assumed(margin) } },
      }),
    );
    return contrast!;
  };
  assert.equal(verdictOf(2, { spread: 1, margin: 1 }).verdict, "above");
  assert.equal(verdictOf(-2, { spread: 1, margin: 1 }).verdict, "below");
  assert.equal(verdictOf(0, { spread: 1, margin: 1 }).verdict, "equivalent");
  // Surely above 0 and surely less than what matters.
  assert.equal(verdictOf(0.2, { spread: 0.01, margin: 1 }).verdict, "equivalent");
  const open = verdictOf(0.2, { spread: 3, margin: 0.5 });
  assert.equal(open.verdict, "undecided");
  assert.ok(open.toSettle!.concepts! > 24);
});

Deno.test("foldContrasts() compares no least values, no deviations and no single values", () => {
  const worst = runs.map((run) => ({ ...run, measure: "worst_group_accuracy" }));
  assert.deepEqual(foldContrasts(worst, specOf({ measures: ["worst_group_accuracy"] })), []);
  const show = { as: "table", rows: ["method"], columns: ["backbone"], statistic: "std" } as const;
  assert.deepEqual(foldContrasts(runs, specOf({ show })), []);
  const one = runs.filter(({ concept }) => concept === "concept 01");
  assert.deepEqual(foldContrasts(one, spec), []);
});

Deno.test("foldContrasts() does not depend on the order of the runs and refuses other concepts", () => {
  assert.deepEqual(foldContrasts(createRandom(4).shuffle(runs), spec), foldContrasts(runs, spec));
  const fewer = runs.filter(({ levels, concept }) =>
    levels["method"] !== "lg_cav" || concept !== "concept 03"
  );
  assert.throws(() => foldContrasts(fewer, spec), /Comparing lg_cav on resnet18.*same concepts/);
});

Deno.test("resultFiles() writes the pooled verdicts below the table, and all contrasts as CSV", () => {
  const { result, files } = resultFiles(runs, spec);
  const read = (name: string) => new TextDecoder().decode(files.get(name));
  assert.match(
    read("table.md"),
    /^\| LG-CAV − Original CAV \| \+\d\.\d\d \[.*\] \| p = 0\.\d{4} \| none \| above \| {2}\|$/m,
  );
  assert.match(read("table.md"), /pooled over 2 backbones/);
  assert.equal(read("contrasts.csv").trim().split("\n").length, 1 + 2 + 4);
  assert.match(
    terminalTable(result, { columns: 100 }),
    /^ {2}above {6}LG-CAV − Original CAV {2}\+/m,
  );
});
