import { type Plain, plain } from "../config/mod.ts";
import {
  combinationsOf,
  type Experiment,
  factorLevels,
  type Level,
  type Levels,
  type Show,
} from "../experiment/mod.ts";
import { UserError } from "../files/mod.ts";
import { type Measure, measureOf } from "../metrics/mod.ts";
import { columnFactors, headingTitle, rowFactors, shownFactors } from "./_factors.ts";
import type { PaperNumbers } from "./paper_numbers.ts";

/** What a level is called: in full, and where there is little room. */
export interface LevelTitle {
  readonly title: string;
  readonly short: string;
}

/** A factor, or `measure`, with the titles of its levels. */
export interface TitledFactor {
  readonly name: string;
  readonly title: string;
  readonly levels: readonly (LevelTitle & {
    readonly level: Level;
    /** What a reader should know it as, such as "paper"; it stands behind the title. */
    readonly mark?: string;
  })[];
}

/** What a result says of a measure; see the registry in lib/metrics. */
export interface ShownMeasure {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly direction: "higher" | "lower" | "none";
  readonly aggregate: "mean" | "least";
  readonly over: Measure["over"];
  /** What a CAV of random direction gets; null where that is not known. */
  readonly random: number | null;
}

/** A row or column: the levels that it stands for, and what it is called. */
export interface Heading extends LevelTitle {
  readonly levels: Levels;
}

/** How intervals and p-values are computed; see docs/statistics.md. */
export interface StatisticsSettings {
  readonly confidence: number;
  readonly bootstrapResamples: number;
  readonly permutations: number;
  readonly seed: number;
  /** By measure, in its unit; none where nothing is known of what matters. */
  readonly margins: Readonly<Record<string, number>>;
  readonly power: number;
}

/** What a result shows, as plain data: a table.json holds it. */
export interface ResultSpec {
  readonly id: string;
  readonly title: string;
  /** What it reproduces, such as "Table 2"; null for our own. */
  readonly paper: string | null;
  /** What was expected before the first run, in sentences; null where nothing was written down. */
  readonly prediction: string | null;
  readonly profile: string;
  /** Every factor of the experiment in the order of a run's columns, then `measure`. */
  readonly factors: readonly TitledFactor[];
  readonly measures: readonly ShownMeasure[];
  /** Only these concepts are shown; null for all. */
  readonly concepts: readonly string[] | null;
  /** Which concepts those are where values were chosen on others, in a sentence. */
  readonly reported?: string;
  readonly show: Plain<Show>;
  readonly statistics: StatisticsSettings;
  /** What is compared, besides the levels of the compared factor, and over what it is pooled. */
  readonly contrasts: Plain<Experiment["contrasts"]>;
  /** The row factors of a table; of lines and histograms panels x series; all of a gallery. */
  readonly rows: readonly Heading[];
  /** The column factors of a table, the x of lines; none of a histogram or a gallery. */
  readonly columns: readonly Heading[];
  /** What the paper prints, where the profile is the paper's own experiment; else null. */
  readonly paperNumbers: PaperNumbers | null;
  /** The tables that stand below, such as what controls get. */
  readonly beside?: readonly ResultSpec[];
}

/** What an experiment says of its results. */
export type ShownExperiment = Pick<
  Experiment,
  | "id"
  | "title"
  | "paper"
  | "factors"
  | "exclude"
  | "quoted"
  | "prediction"
  | "concepts"
  | "measures"
  | "show"
  | "statistics"
  | "contrasts"
>;

/** What an experiment's file does not say of its results. */
export interface ResultSpecOptions {
  readonly profile: string;
  /** What a level of a factor is called; undefined for the level as it is. */
  readonly titleOf: (factor: string, level: Level) => LevelTitle | undefined;
  readonly paperNumbers: PaperNumbers | null;
  /** As in {@linkcode ResultSpec}. */
  readonly reported?: string | undefined;
}

/**
 * What a result of an experiment shows. Rows and columns are the combinations of levels that occur
 * in it; what it excludes everywhere has no row, and what is quoted alone has one only where the
 * paper's numbers are shown.
 *
 * @throws {UserError} when `show` names what is no factor, names one twice, or leaves out one that
 * has several levels (seeds are averaged over and never shown).
 */
export function resultSpec(
  experiment: ShownExperiment,
  { profile, titleOf, paperNumbers, reported }: ResultSpecOptions,
): ResultSpec {
  const { id, title, measures, statistics } = experiment;
  const show: Plain<Show> = plain(experiment.show);
  const factors = titledFactors(experiment, titleOf);
  checkShow(experiment, { show, factors });
  checkPaper(paperNumbers, show);
  const combinations = combinationsOf(experiment, { quoted: paperNumbers !== null });
  const headings = (names: readonly string[]) => headingsOf(names, { factors, combinations });
  return {
    id,
    title,
    paper: experiment.paper ?? null,
    prediction: experiment.prediction ?? null,
    profile,
    factors,
    measures: measures.map((name) => {
      const { title, unit, direction, aggregate, over, random } = measureOf(name);
      return { name, title, unit, direction, aggregate, over, random };
    }),
    concepts: experiment.concepts ?? null,
    ...(reported !== undefined && { reported }),
    show,
    statistics: {
      confidence: statistics.confidence.value,
      bootstrapResamples: statistics.bootstrapResamples.value,
      permutations: statistics.permutations.value,
      seed: statistics.seed.value,
      margins: Object.fromEntries(
        measures.flatMap((name) => {
          const margin = statistics.margins[name]?.value;
          return margin === undefined ? [] : [[name, margin]];
        }),
      ),
      power: statistics.power.value,
    },
    contrasts: experiment.contrasts,
    rows: headings(
      show.as === "gallery" ? factorLevels(experiment).keys().toArray() : rowFactors(show),
    ),
    columns: headings(columnFactors(show)),
    paperNumbers,
  };
}

/**
 * What a table shows that stands below another one. None of its values is better than the next: they
 * say how to read those above.
 */
export function besideSpec(
  experiment: ShownExperiment,
  options: Omit<ResultSpecOptions, "paperNumbers">,
): ResultSpec {
  const { measures, ...spec } = resultSpec(experiment, { ...options, paperNumbers: null });
  return { ...spec, measures: measures.map((measure) => ({ ...measure, direction: "none" })) };
}

/** What factors are called; swept settings without a title keep their path. */
const factorTitles: Readonly<Record<string, string>> = {
  dataset: "Dataset",
  backbone: "Backbone",
  layer: "Layer",
  vlModel: "VL model",
  method: "Method",
  seed: "Seed",
  shots: "Labelled images of a concept",
  "probes.count": "Probe images",
  "probes.choice": "Probe choice",
  "probes.testNegatives": "Test negatives among the probes",
  "method.initialLength": "Length of the random start",
  "method.epochs": "Epochs",
  "method.learningRate": "Learning rate",
  "method.coefficient": "Coefficient of the LG-CAV loss",
  "method.temperature": "Temperature",
  negatives: "Negatives",
  sceneCorrelation: "Correlation of class and scene",
  classConcepts: "Concepts of the classes",
  lastLayer: "Uncorrected last layer",
  "dials.promptDispersion": "Dispersion of prompts",
  "dials.promptZipf": "Zipf exponent of prompts",
  "dials.polysemy": "Weight of a word's other meaning",
  "dials.centring": "Share of the mean taken off VL features",
  "dials.captionError": "Share of wrong captions",
  "dials.labelNoise": "Share of wrong labels",
  "dials.probeShift": "Shift of the probe images",
  "dials.probePool": "Probe pool",
  "dials.coOccurrence": "Co-occurrence of factors",
  "dials.variety": "Variety within a concept",
};

/** What stands before the number of a level where that alone says too little. */
const levelPrefixes: Readonly<Record<string, string>> = {
  "dials.promptZipf": "Zipf exponent ",
  "dials.probePool": "probes: ",
};

function numbered(name: string, level: Level): LevelTitle {
  const title = `${levelPrefixes[name] ?? ""}${level}`;
  return { title, short: title };
}

function titledFactors(
  experiment: ShownExperiment,
  titleOf: ResultSpecOptions["titleOf"],
): TitledFactor[] {
  const mark = "mark" in experiment.show ? experiment.show.mark : undefined;
  const factors = [...factorLevels(experiment)].map(([name, levels]) => ({
    name,
    title: factorTitles[name] ?? name,
    levels: levels.map((level) => ({
      level,
      ...titleOf(name, level) ?? numbered(name, level),
      ...(mark?.factor === name && mark.level === level && { mark: mark.as }),
    })),
  }));
  const measures = experiment.measures.map((level) => {
    const { title } = measureOf(level);
    return { level, title, short: title };
  });
  return [...factors, { name: "measure", title: "Measure", levels: measures }];
}

function checkShow(
  { id }: ShownExperiment,
  { show, factors }: { readonly show: Plain<Show>; readonly factors: readonly TitledFactor[] },
): void {
  const shown = shownFactors(show);
  if (show.as === "gallery") return;
  const compare = "compare" in show ? show.compare : undefined;
  const wrong = [...shown, ...compare === undefined ? [] : [compare]]
    .find((name) => name === "seed" || !factors.some((factor) => factor.name === name));
  const known = factors.map(({ name }) => name).filter((name) => name !== "seed").join(", ");
  if (wrong !== undefined) {
    throw new UserError(
      `experiments/${id}.json shows "${wrong}", which is none of its factors (seeds are averaged ` +
        `over). Name some of ${known}.`,
    );
  }
  if (compare !== undefined && !shown.includes(compare)) {
    throw new UserError(
      `experiments/${id}.json compares levels of "${compare}" without showing them. Compare one ` +
        `of ${shown.join(", ")}.`,
    );
  }
  const control = show.as === "table" || show.as === "lines" ? show.against : undefined;
  const levels = factors.find(({ name }) => name === compare)?.levels.map(({ level }) => level);
  if (control !== undefined && !(levels?.includes(control) ?? false)) {
    throw new UserError(
      `experiments/${id}.json compares with "${control}" as "against", which is no level of ` +
        `"compare"${levels ? `, "${compare}": ${levels.join(", ")}` : ""}. Correct one of them.`,
    );
  }
  const mark = "mark" in show ? show.mark : undefined;
  const marked = factors.some(({ levels }) => levels.some(({ mark }) => mark !== undefined));
  if (mark !== undefined && !(marked && shown.includes(mark.factor))) {
    throw new UserError(
      `experiments/${id}.json marks ${mark.level} of "${mark.factor}", which it does not show. Mark a ` +
        `level of one of ${shown.join(", ")}.`,
    );
  }
  const twice = shown.find((name, i) => shown.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new UserError(`experiments/${id}.json shows "${twice}" twice. Name it once.`);
  }
  const hidden = factors.find(({ name, levels }) =>
    name !== "seed" && levels.length > 1 && !shown.includes(name)
  );
  if (hidden !== undefined) {
    throw new UserError(
      `experiments/${id}.json has ${hidden.levels.length} levels of "${hidden.name}" and does not ` +
        `show them. Name it in the rows, columns, x, series or panels.`,
    );
  }
}

function checkPaper(paper: PaperNumbers | null, show: Plain<Show>): void {
  const shown = show.as === "table" ? show.statistic : "mean";
  if (paper !== null && paper.statistic !== shown) {
    throw new UserError(
      `A result that shows the ${shown} cannot stand beside ${paper.source}, which has the ` +
        `${paper.statistic}. Change "statistic" or "paper" in the experiment.`,
    );
  }
}

function headingsOf(
  names: readonly string[],
  { factors, combinations }: {
    readonly factors: readonly TitledFactor[];
    readonly combinations: readonly Levels[];
  },
): Heading[] {
  if (names.length === 0) return [];
  let all: Levels[] = [{}];
  for (const name of names) {
    const { levels } = factors.find((factor) => factor.name === name)!;
    all = all.flatMap((heading) => levels.map(({ level }) => ({ ...heading, [name]: level })));
  }
  const occurs = (heading: Levels) =>
    combinations.some((levels) =>
      names.every((name) => name === "measure" || levels[name] === heading[name])
    );
  const occurring = all.filter(occurs);
  const varying = names.filter((name) => new Set(occurring.map((levels) => levels[name])).size > 1);
  return occurring.map((levels) => ({
    levels,
    ...headingTitle(levels, { names: varying.length > 0 ? varying : names, factors }),
  }));
}
