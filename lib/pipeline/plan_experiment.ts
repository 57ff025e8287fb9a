import { join } from "node:path";
import {
  loadConfig,
  type Method,
  type MethodConfig,
  methodSchema,
  parseConfig,
  plain,
} from "../config/mod.ts";
import { type Cell, cellsOf, type Experiment } from "../experiment/mod.ts";
import { UserError } from "../files/mod.ts";
import { planCavs } from "./_plan_cavs.ts";
import { planMeasure } from "./_plan_measure.ts";
import { type CellParts, type Known, once, type PlanContext } from "./_planning.ts";
import { planData, type PlannedData, type PlannedImages } from "./plan_data.ts";
import type { PlannedTarget } from "./plan_models.ts";
import type { Stage } from "./stage.ts";
import { type Measurement, shownConceptsKind } from "./stages/mod.ts";

/** A cell of an experiment with the stages of its measurements. */
export interface PlannedCell {
  readonly cell: Cell;
  readonly measurements: readonly {
    readonly measure: Experiment["measures"][number];
    readonly stage: Stage<readonly Measurement[]>;
  }[];
}

/** An experiment laid out. */
export interface PlannedExperiment {
  readonly experiment: Experiment;
  readonly cells: readonly PlannedCell[];
  /** The images that take part. */
  readonly images: readonly PlannedImages[];
  /** The concepts, by dataset. */
  readonly concepts: ReadonlyMap<string, PlannedData["concepts"]>;
  /** Checks that each dataset has the concepts that are shown. */
  readonly checks: readonly Stage<null>[];
  /** Every config of the experiment with the sources of its values, by file. */
  readonly configs: Readonly<Record<string, unknown>>;
  /** What identifies every model that the plan runs, by name. */
  readonly models: Readonly<Record<string, unknown>>;
  readonly methods: ReadonlyMap<string, MethodConfig>;
  readonly targets: ReadonlyMap<string, PlannedTarget>;
  /** What each VL model of the paper is called. */
  readonly vlTitles: ReadonlyMap<string, string>;
}

/** Lays out the stages of every cell of an experiment. */
export async function planExperiment(
  experiment: Experiment,
  context: PlanContext,
): Promise<PlannedExperiment> {
  const known: Known = {
    ...context,
    experiment,
    configs: { [`experiments/${experiment.id}.json`]: experiment },
    data: new Map(),
    methods: new Map(),
    targets: new Map(),
    vlModels: new Map(),
  };
  const cells: PlannedCell[] = [];
  for (const cell of cellsOf(experiment)) cells.push(await planCell(cell, known));
  const data = [...known.data.values()];
  const models = [...known.targets.values(), ...known.vlModels.values()];
  const { id, concepts: names } = experiment;
  const checks = names === undefined
    ? []
    : data.map(({ concepts }) =>
      context.graph.stage(shownConceptsKind, {
        id: `concepts that ${id} shows`,
        inputs: { experiment: id, names },
        needs: { concepts },
        how: null,
        work: "looks for them in the dataset",
      })
    );
  return {
    experiment,
    cells,
    checks,
    configs: Object.assign({}, ...data.map(({ configs }) => configs), known.configs),
    images: data.flatMap(({ images, pool }) => [images, ...pool]),
    concepts: new Map([...known.data].map(([dataset, { concepts }]) => [dataset, concepts])),
    models: Object.fromEntries(models.map(({ name, identity }) => [name, identity])),
    methods: known.methods,
    targets: known.targets,
    vlTitles: new Map([...known.vlModels].map(([name, { title }]) => [name, title])),
  };
}

async function planCell(cell: Cell, known: Known): Promise<PlannedCell> {
  const { dataset, backbone, layer, vlModel, method, seed } = cell.levels;
  const { models, root } = { ...known, ...known.request };
  const target = await once(known.targets, `${backbone}`, models.target);
  const parts: CellParts = {
    cell,
    data: await once(
      known.data,
      `${dataset}`,
      (name) => once(known.laidOut.data, name, (name) => planData(name, { ...known, root })),
    ),
    target,
    output: target.outputOf(`${layer}`),
    vl: await once(known.vlModels, `${vlModel}`, models.vl),
    method: withHyperparameters(
      await once(known.methods, `${method}`, (name) => readMethod(name, known)),
      cell,
    ),
    seed: seedOf(seed),
  };
  const cavs = await planCavs(parts, known);
  const measurements = [];
  for (const measure of known.experiment.measures) {
    measurements.push({ measure, stage: await planMeasure(measure, { ...parts, cavs }, known) });
  }
  return { cell, measurements };
}

async function readMethod(name: string, { request: { root }, configs }: Known) {
  const path = `configs/methods/${name}.json`;
  const config = await loadConfig(join(root, path), methodSchema);
  configs[path] = config;
  return config;
}

/** A method with the hyper-parameters that the cell's factors sweep at other levels. */
function withHyperparameters(config: MethodConfig, { hyperparameters, levels }: Cell): Method {
  const spec = config as unknown as {
    readonly hyperparameters: Readonly<Record<string, { readonly value: unknown }>>;
  };
  const unknown = Object.keys(hyperparameters).find((name) => !(name in spec.hyperparameters));
  if (unknown !== undefined) {
    throw new UserError(
      `The method ${config.id} has no hyper-parameter "${unknown}", which the experiment sweeps; it ` +
        `has ${
          Object.keys(spec.hyperparameters).join(", ")
        }. Exclude the method or correct the name.`,
    );
  }
  const swept = Object.fromEntries(
    Object.entries(hyperparameters).map(([name, value]) => [
      name,
      { ...spec.hyperparameters[name]!, value },
    ]),
  );
  const resolved = parseConfig(
    `configs/methods/${levels["method"]}.json`,
    methodSchema,
    { spec: { ...spec, hyperparameters: { ...spec.hyperparameters, ...swept } } },
  );
  return plain(resolved) as Method;
}

function seedOf(level: unknown): number {
  if (typeof level === "number" && Number.isInteger(level) && level >= 0) return level;
  throw new UserError(`A level of the factor "seed" is a whole number from 0, not "${level}".`);
}
