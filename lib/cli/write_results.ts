import { join } from "node:path";
import { loadConfig } from "../config/mod.ts";
import type { Level } from "../experiment/mod.ts";
import {
  exhibitsOf,
  type LeftOut,
  leftOut,
  type Plan,
  type PlannedExperiment,
  publishResult,
  resultFolder,
  runsOf,
} from "../pipeline/mod.ts";
import {
  besideSpec,
  type LevelTitle,
  type PaperNumbers,
  paperNumbers,
  type Result,
  resultFiles,
  type ResultSpec,
  resultSpec,
} from "../report/mod.ts";
import type { Store } from "../store/mod.ts";
import { type Drawable, drawPictures, isUndrawn } from "./draw_pictures.ts";
import { z } from "zod";

/** A result that was written. */
export interface WrittenResult extends LeftOut {
  readonly id: string;
  readonly result: Result;
  readonly folder: string;
  /** The names of its files. */
  readonly files: readonly string[];
  /** What a user should know of the values, in sentences. */
  readonly remarks: readonly string[];
}

/**
 * What the results of a plan show, by experiment; asked before work starts.
 *
 * @throws {UserError} when an experiment shows what it does not have.
 */
export async function resultSpecs(plan: Plan): Promise<ReadonlyMap<string, ResultSpec>> {
  const specs = new Map<string, ResultSpec>();
  for (const planned of plan.experiments) {
    const { experiment } = planned;
    const options = {
      profile: plan.profile.name,
      titleOf: (factor: string, level: Level) => titleOf(planned, factor, level),
      reported: reportedConcepts(plan.profile, planned),
    };
    const paperNumbers = await numbersOf(plan, planned);
    const spec = resultSpec(experiment, { ...options, paperNumbers });
    const beside = planned.beside.map((below) => besideSpec(below, options));
    specs.set(experiment.id, { ...spec, ...beside.length > 0 && { beside } });
  }
  return specs;
}

/** Which concepts a result reports, where values were chosen on some of them. */
function reportedConcepts(
  { choice }: Plan["profile"],
  { experiment, cells, concepts }: PlannedExperiment,
): string | undefined {
  const datasets = new Set(cells.map(({ cell: { levels } }) => `${levels["dataset"]}`));
  const labelled = [...concepts.keys()].some((name) => datasets.has(name.split(" ")[0]!));
  if (choice === undefined || experiment.concepts !== undefined || !labelled) return undefined;
  const chosen = `${choice.concepts.length} concepts on which assumed values`;
  return choice.report === "these"
    ? `These are the ${chosen} are chosen; results are reported on the others.`
    : `The ${chosen} were chosen, on images of another seed, are not among these.`;
}

/**
 * Folds the stored measurements of every experiment of a plan into its result folder, with pictures
 * where a browser is there.
 *
 * @param options.specs what each shows.
 * @param options.onNoBrowser told once how to get pictures, when there is no browser.
 */
export async function writeResults(
  plan: Plan,
  { specs, store, started, onNoBrowser }: {
    readonly specs: ReadonlyMap<string, ResultSpec>;
    readonly store: Store;
    readonly started: Date;
    readonly onNoBrowser: (sentence: string) => void;
  },
): Promise<WrittenResult[]> {
  const written: WrittenResult[] = [];
  const undrawn: Drawable[] = [];
  for (const planned of plan.experiments) {
    const { experiment: { id } } = planned;
    const { result, files } = resultFiles(await runsOf(planned, store), specs.get(id)!, {
      exhibits: await exhibitsOf(planned, store),
    });
    const folder = resultFolder(plan.request.root, { profile: plan.profile.name, id });
    if (await isUndrawn({ folder, files })) undrawn.push({ folder, files });
    const left = await leftOut(planned, store);
    const seconds = (Date.now() - started.getTime()) / 1000;
    const published = { files, store, started, seconds, ...left };
    const { remarks } = await publishResult(plan, planned, published);
    written.push({
      id,
      result,
      folder,
      files: [...files.keys(), "manifest.json"],
      remarks,
      ...left,
    });
  }
  const drawn = await drawPictures(undrawn, { scratch: store.root, onNoBrowser });
  return written.map((one) => ({ ...one, files: [...one.files, ...drawn.get(one.folder) ?? []] }));
}

function titleOf(
  { methods, targets, vlTitles }: PlannedExperiment,
  factor: string,
  level: Level,
): LevelTitle | undefined {
  if (factor === "backbone") {
    const target = targets.get(`${level}`);
    return target && { title: target.title, short: target.short };
  }
  const title = factor === "method"
    ? methods.get(`${level}`)?.title
    : factor === "vlModel"
    ? vlTitles.get(`${level}`)
    : layerTitles[`${level}`];
  return title === undefined ? undefined : { title, short: title };
}

const layerTitles: Readonly<Record<string, string>> = {
  last: "Last layer",
  intermediate: "Feature map",
  intermediate_pooled: "Pooled map",
};

async function numbersOf(
  { profile, request: { root } }: Plan,
  { experiment: { paper } }: PlannedExperiment,
): Promise<PaperNumbers | null> {
  if (!profile.showPaper || paper === undefined) return null;
  const path = join(root, "configs", "paper", "tables.json");
  return paperNumbers(await loadConfig(path, z.unknown()), paper);
}
