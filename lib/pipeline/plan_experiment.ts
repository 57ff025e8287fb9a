import {
  besideTables,
  type Cell,
  cellsOf,
  type Experiment,
  factorLevels,
} from "../experiment/mod.ts";
import { UserError } from "../files/mod.ts";
import { planCavs } from "./_plan_cavs.ts";
import { planClassMeasure } from "./_plan_class_cell.ts";
import {
  type AnyMethod,
  type AnyMethodConfig,
  makesCavs,
  readMethod,
  withHyperparameters,
} from "./_methods.ts";
import { requireNoDials } from "./_plan_dials.ts";
import { galleryOf, planExhibit } from "./_plan_exhibit.ts";
import { planDataset } from "./_plan_dataset.ts";
import { planMeasure } from "./_plan_measure.ts";
import {
  type CellParts,
  type ClassParts,
  type Known,
  once,
  type PlanContext,
} from "./_planning.ts";
import type { PlannedConcepts } from "./plan_data.ts";
import type { PlannedImages } from "./plan_images.ts";
import type { PlannedTarget } from "./plan_models.ts";
import type { Stage } from "./stage.ts";
import { type Exhibited, type Measurement, shownConceptsKind } from "./stages/mod.ts";

/** A cell of an experiment with the stages of its measurements. */
export interface PlannedCell {
  readonly cell: Cell;
  readonly measurements: readonly {
    readonly measure: Experiment["measures"][number];
    readonly stage: Stage<readonly Measurement[]>;
  }[];
  /** What a gallery shows of it; its measurements are in there. */
  readonly exhibit?: Stage<Exhibited>;
}

/** An experiment laid out. */
export interface PlannedExperiment {
  readonly experiment: Experiment;
  /** Its own and those of the tables below it. */
  readonly cells: readonly PlannedCell[];
  /** The tables that stand below its own, as experiments. */
  readonly beside: readonly Experiment[];
  /** The images that take part. */
  readonly images: readonly PlannedImages[];
  /** The concepts, by dataset. */
  readonly concepts: ReadonlyMap<string, PlannedConcepts["concepts"]>;
  /** Whether results report a concept of a dataset. */
  readonly reports: (dataset: string, concept: string) => boolean;
  /** Checks that each dataset has the concepts that are shown. */
  readonly checks: readonly Stage<null>[];
  /** Every config of the experiment with the sources of its values, by file. */
  readonly configs: Readonly<Record<string, unknown>>;
  /** What identifies every model that the plan runs, by name. */
  readonly models: Readonly<Record<string, unknown>>;
  readonly methods: ReadonlyMap<string, AnyMethodConfig>;
  readonly targets: ReadonlyMap<string, PlannedTarget>;
  /** What each VL model of the paper is called. */
  readonly vlTitles: ReadonlyMap<string, string>;
}

/** The keys of the stages that results are folded from. */
export function targetsOf(experiments: readonly PlannedExperiment[]): string[] {
  return experiments.flatMap(({ cells }) =>
    cells.flatMap(({ measurements, exhibit }) => [
      ...measurements.map(({ stage }) => stage.key),
      ...exhibit === undefined ? [] : [exhibit.key],
    ])
  );
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
    classes: new Map(),
    methods: new Map(),
    targets: new Map(),
    vlModels: new Map(),
  };
  const cells: PlannedCell[] = [];
  const beside = besideTables(experiment);
  for (const shown of [experiment, ...beside]) {
    for (const cell of cellsOf(shown)) {
      cells.push(await planCell(cell, { ...known, experiment: shown }));
    }
  }
  const data = [...known.data.values()];
  const classes = [...known.classes.values()];
  const images = [
    ...data.flatMap(({ own, pool }) => [...(own ? [own] : []), ...pool]),
    ...classes.flatMap(({ train, test }) => [train.images, test.images]),
  ];
  const models = [...known.targets.values(), ...known.vlModels.values()];
  const { id, concepts: names } = experiment;
  const { choice } = context.profile;
  const labelled = new Set(data.map(({ name }) => name));
  const checks = names === undefined
    ? []
    : data.filter(({ name }) => factorLevels(experiment).get("dataset")!.includes(name)).map((
      { concepts },
    ) =>
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
    beside,
    checks,
    reports: (dataset, concept) =>
      names === undefined
        ? !(choice && labelled.has(dataset)) ||
          choice.concepts.includes(concept) === (choice.report === "these")
        : names.includes(concept),
    configs: Object.assign(
      {},
      ...[...data, ...classes].map(({ configs }) => configs),
      known.configs,
    ),
    images,
    concepts: new Map([...known.data].map(([dataset, { concepts }]) => [dataset, concepts])),
    models: Object.fromEntries(models.map(({ name, identity }) => [name, identity])),
    methods: known.methods,
    targets: known.targets,
    vlTitles: new Map([...known.vlModels].map(([name, { title }]) => [name, title])),
  };
}

async function planCell(cell: Cell, known: Known): Promise<PlannedCell> {
  const { dataset, backbone, layer, vlModel, method, seed } = cell.levels;
  const { models } = known;
  const target = await once(known.targets, `${backbone}`, models.target);
  const parts = {
    cell,
    target,
    output: target.outputOf(`${layer}`),
    vl: await once(known.vlModels, `${vlModel}`, models.vl),
    method: withHyperparameters(
      await once(known.methods, `${method}`, (name) => readMethod(name, known)),
      cell,
    ),
    seed: seedOf(seed),
  };
  const data = await planDataset(`${dataset}`, cell.settings, known);
  if (!("concepts" in data)) requireNoDials(cell, known);
  const gallery = galleryOf(known.experiment);
  if (gallery !== undefined) {
    if ("concepts" in data) {
      throw new UserError(
        `Experiment ${known.experiment.id} shows a gallery of ${data.name}, whose images have no ` +
          `classes. Name a dataset of classes as the factor "dataset".`,
      );
    }
    const ofClasses = requireLastLayer({ ...parts, classes: data }, known);
    const exhibit = await planExhibit(gallery, { parts: ofClasses, known });
    return { cell, measurements: [], exhibit };
  }
  const stageOf = "concepts" in data
    ? await conceptMeasures({ ...parts, data }, known)
    : classMeasures(requireLastLayer({ ...parts, classes: data }, known), known);
  const measurements = [];
  for (const measure of known.experiment.measures) {
    measurements.push({ measure, stage: await stageOf(measure) });
  }
  return { cell, measurements };
}

type Measures = (
  name: Experiment["measures"][number],
) => Promise<Stage<readonly Measurement[]>>;

async function conceptMeasures(
  parts: Omit<CellParts, "method"> & {
    readonly data: PlannedConcepts;
    readonly method: AnyMethod;
  },
  known: Known,
): Promise<Measures> {
  const { method, data } = parts;
  if (!makesCavs(method)) {
    throw new UserError(
      `Experiment ${known.experiment.id} corrects a last layer by ${method.id} on ${data.name}, whose ` +
        `images have no classes. Name a dataset of classes as the factor "dataset".`,
    );
  }
  const ofCell = { ...parts, method };
  const cavs = await planCavs(ofCell, known);
  return (name) => planMeasure(name, { ...ofCell, cavs }, known);
}

function classMeasures(parts: ClassParts, known: Known): Measures {
  return (name) => planClassMeasure(name, parts, known);
}

function requireLastLayer(
  parts: ClassParts & Pick<CellParts, "output">,
  { experiment }: Known,
): ClassParts {
  if (parts.output === "features") return parts;
  throw new UserError(
    `Experiment ${experiment.id} takes the layer ${
      parts.cell.levels["layer"]
    } of models whose last ` +
      `layers are looked at. Take the layer "last".`,
  );
}

function seedOf(level: unknown): number {
  if (typeof level === "number" && Number.isInteger(level) && level >= 0) return level;
  throw new UserError(`A level of the factor "seed" is a whole number from 0, not "${level}".`);
}
