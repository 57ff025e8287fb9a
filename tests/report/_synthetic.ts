import type { Level, Levels, Run } from "../../lib/experiment/mod.ts";
import {
  type Cell,
  type MeasuredCell,
  type ResultSpec,
  resultSpec,
  type ResultSpecOptions,
  type ResultTable,
  type ShownExperiment,
} from "../../lib/report/mod.ts";
import { createRandom } from "../../lib/tensor/mod.ts";
import assert from "node:assert/strict";

const assumed = <T>(value: T) => ({ value, source: "assumed" });

/** Methods on backbones, two of each; other fields as given. */
export function experiment(fields: Partial<ShownExperiment> = {}): ShownExperiment {
  return {
    id: "table2",
    title: "Concept-to-class accuracy of CAV methods",
    paper: "Table 2",
    factors: {
      dataset: ["broden"],
      backbone: ["resnet18", "vgg13"],
      layer: ["last"],
      vlModel: ["clip_vit_l_14"],
      method: ["original_cav", "lg_cav", "lg_cav+ga"],
      seed: [0, 1],
    },
    exclude: [],
    quoted: [],
    measures: ["concept_to_class_accuracy"],
    show: { as: "table", rows: ["method"], columns: ["backbone"], statistic: "mean" },
    statistics: {
      confidence: assumed(0.95),
      bootstrapResamples: assumed(200),
      permutations: assumed(200),
      seed: assumed(0),
      margins: {},
      power: assumed(0.8),
    },
    contrasts: { over: ["backbone"], pairs: [] },
    ...fields,
  };
}

const titles: Readonly<Record<Level, readonly [title: string, short: string]>> = {
  resnet18: ["ResNet-18", "RN18"],
  vgg13: ["VGG-13", "VGG13"],
  original_cav: ["Original CAV", "Original"],
  lg_cav: ["LG-CAV", "LG-CAV"],
  "lg_cav+ga": ["LG-CAV + GA", "LG-CAV + GA"],
};

export const options: ResultSpecOptions = {
  profile: "world",
  titleOf: (_, level) => {
    const [title, short] = titles[level] ?? [];
    return title === undefined || short === undefined ? undefined : { title, short };
  },
  paperNumbers: null,
};

export const spec: ResultSpec = resultSpec(experiment(), options);

/** The spec of an experiment that differs in some fields. */
export function specOf(fields: Partial<ShownExperiment>): ResultSpec {
  return resultSpec(experiment(fields), options);
}

/** A run of ResNet-18 and the original CAV; other fields and levels as given. */
export function run(
  { levels = {}, ...fields }: Partial<Run> & Pick<Run, "value">,
): Run {
  return {
    levels: {
      dataset: "broden",
      backbone: "resnet18",
      layer: "last",
      vlModel: "clip_vit_l_14",
      method: "original_cav",
      seed: 0,
      ...levels,
    },
    concept: "red",
    class: "",
    image: "",
    weight: 1,
    measure: "concept_to_class_accuracy",
    status: "measured",
    ...fields,
  };
}

/** The same run at other levels. */
export function at(run: Run, levels: Levels): Run {
  return { ...run, levels: { ...run.levels, ...levels } };
}

/** Runs of every cell of {@linkcode spec}: 2 seeds, 12 concepts, every third with two classes. */
export function syntheticRuns(): Run[] {
  const random = createRandom("synthetic");
  return ["resnet18", "vgg13"].flatMap((backbone) =>
    ["original_cav", "lg_cav", "lg_cav+ga"].flatMap((method, rank) =>
      [0, 1].flatMap((seed) =>
        Array.from({ length: 12 }, (_, i) => i).flatMap((i) =>
          Array.from({ length: i % 3 === 0 ? 2 : 1 }, (_, k) =>
            run({
              levels: { backbone, method, seed },
              concept: `concept ${String(i).padStart(2, "0")}`,
              class: `class, ${k}`,
              value: 5 + 4 * rank + 2 * random.normal(),
            }))
        )
      )
    )
  );
}

/** The cell of a row and a column by their levels. */
export function cellAt(table: ResultTable, levels: Levels): Cell {
  const matches = (heading: { readonly levels: Levels }) =>
    Object.entries(heading.levels).every(([name, level]) => levels[name] === level);
  const row = table.rows.find(matches);
  assert.ok(row, `no row of ${JSON.stringify(levels)}`);
  return row.cells[table.columns.findIndex(matches)]!;
}

export function measuredAt(table: ResultTable, levels: Levels): MeasuredCell {
  const cell = cellAt(table, levels);
  assert.ok(cell.status === "measured", `${JSON.stringify(levels)} is ${cell.status}`);
  return cell;
}
