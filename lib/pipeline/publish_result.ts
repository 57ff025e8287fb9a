import { join } from "node:path";
import type { Exhibit, Levels, Run } from "../experiment/mod.ts";
import { UserError, writeFileAtomically } from "../files/mod.ts";
import { canonicalJson, type Store } from "../store/mod.ts";
import { loadValue } from "./graph.ts";
import { describeResult, type Manifest } from "./manifest.ts";
import type { Plan } from "./plan.ts";
import type { PlannedExperiment } from "./plan_experiment.ts";

/** The folder of a result. */
export function resultFolder(
  root: string,
  { profile, id }: { readonly profile: string; readonly id: string },
): string {
  return join(root, "results", profile, id);
}

/**
 * The runs of an experiment, from the store.
 *
 * @throws {MissingNeed} when a measurement is not there or damaged.
 * @throws {UserError} when nothing was measured of a concept that the experiment shows.
 */
export async function runsOf(
  { experiment, cells, reports }: PlannedExperiment,
  store: Store,
): Promise<Run[]> {
  const runs: Run[] = [];
  for (const { cell: { levels }, measurements, exhibit } of cells) {
    if (exhibit !== undefined) {
      const { measurements: ofImages } = await loadValue(exhibit, store);
      runs.push(
        ...ofImages.map((run) => ({ levels, ...run, weight: 1, status: "measured" as const })),
      );
    }
    for (const { measure, stage } of measurements) {
      for (const measurement of await loadValue(stage, store)) {
        if (!reports(`${levels["dataset"]}`, measurement.concept)) continue;
        const { weight = 1 } = measurement;
        runs.push({ levels, measure, ...measurement, weight, status: "measured" });
      }
    }
  }
  const absent = experiment.concepts?.find((name) => !runs.some(({ concept }) => concept === name));
  if (absent === undefined) return runs;
  throw new UserError(
    `Experiment ${experiment.id} shows the concept "${absent}", of which nothing was measured: no ` +
      `class belongs to it. Name another one.`,
  );
}

/**
 * What the cells of a gallery show besides their runs, from the store; nothing of another experiment.
 *
 * @throws {MissingNeed} when it is not there or damaged.
 */
export async function exhibitsOf(
  { cells }: PlannedExperiment,
  store: Store,
): Promise<{ readonly levels: Levels; readonly exhibit: Exhibit }[]> {
  const exhibits = [];
  for (const { cell: { levels }, exhibit } of cells) {
    if (exhibit === undefined) continue;
    exhibits.push({ levels, exhibit: (await loadValue(exhibit, store)).exhibit });
  }
  return exhibits;
}

/** What was left out of an experiment, for the user to hear. */
export interface LeftOut {
  readonly unreadable: Manifest["unreadable"];
  /** Concepts that too few images show, by dataset. */
  readonly tooFew: Readonly<
    Record<string, readonly { readonly name: string; readonly images: number }[]>
  >;
}

/** What was left out of an experiment, from the store. */
export async function leftOut(
  { images, concepts }: PlannedExperiment,
  store: Store,
): Promise<LeftOut> {
  const unreadable: Record<string, Manifest["unreadable"][string]> = {};
  for (const { name, readable } of images) {
    unreadable[name] = (await loadValue(readable, store)).unreadable;
  }
  const tooFew: Record<string, LeftOut["tooFew"][string]> = {};
  for (const [dataset, stage] of concepts) {
    tooFew[dataset] = (await loadValue(stage, store)).tooFew;
  }
  return { unreadable, tooFew };
}

/** Writes the files of a result; the manifest, which vouches for them, comes last and is returned. */
export async function publishResult(
  plan: Plan,
  planned: PlannedExperiment,
  { files, ...options }: {
    readonly files: ReadonlyMap<string, Uint8Array>;
    readonly unreadable: Manifest["unreadable"];
    readonly store: Store;
    readonly started: Date;
    readonly seconds: number;
  },
): Promise<Manifest> {
  const { request: { root }, profile } = plan;
  const folder = resultFolder(root, { profile: profile.name, id: planned.experiment.id });
  for (const [name, bytes] of files) await writeFileAtomically(join(folder, name), bytes);
  const manifest = await describeResult(plan, { planned, files, ...options });
  const text = JSON.stringify(JSON.parse(canonicalJson(manifest)), null, 2) + "\n";
  await writeFileAtomically(join(folder, "manifest.json"), new TextEncoder().encode(text));
  return manifest;
}
