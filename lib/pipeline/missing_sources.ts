import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Profile } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import { measureOf } from "../metrics/mod.ts";
import {
  listSources,
  type Need,
  readSources,
  sourcesNeeded,
  type SourceState,
} from "../sources/mod.ts";
import type { PlannedExperiment } from "./plan_experiment.ts";

/**
 * What experiments need under a profile and is not on this machine, each with how to get it. The
 * embedded world needs nothing.
 *
 * @throws {UserError} for a folder of the user's own that is not there: nothing is fetched into it.
 */
export async function missingSources(
  experiments: readonly PlannedExperiment[],
  { root, profile }: { readonly root: string; readonly profile: Profile },
): Promise<readonly SourceState[]> {
  const known = await readSources(join(root, "configs"));
  const data = join(root, "data");
  const folders = needsOf(experiments).filter((need) => {
    const location = profile.datasets[need.name]!;
    if (!("folder" in location)) return false;
    const folder = resolve(root, location.folder);
    if (existsSync(folder)) return false;
    if (sourcesNeeded(known, [need]).some(({ path }) => join(data, path) === folder)) return true;
    throw new UserError(
      `Profile ${profile.name} names the folder ${folder} for the dataset ${need.name}, which is not ` +
        `there. Correct the path in configs/profiles/${profile.name}.json.`,
    );
  });
  const absent = experiments.flatMap(({ models }) =>
    Object.entries(models).flatMap(([name, identity]) => isMissing(identity) ? [name] : [])
  );
  const havePairs = experiments.some(({ experiment: { measures } }) =>
    measures.some((name) => measureOf(name).over === "pairs")
  );
  const models = [
    ...absent,
    ...(havePairs && "sentenceEncoder" in profile.pairs ? [profile.pairs.sentenceEncoder] : []),
  ];
  const needs = [...folders, ...models.map((name) => ({ name }))];
  const states = await listSources(sourcesNeeded(known, needs), { root: data });
  return states.filter(({ state }) => state === "missing" || state === "partial");
}

/** The datasets that experiments read, each with the splits of it, where it is read by splits. */
function needsOf(experiments: readonly PlannedExperiment[]): Need[] {
  const reads = experiments.flatMap(({ datasets }) => datasets);
  return [...Map.groupBy(reads, ({ name }) => name)].map(([name, ofName]) => {
    const splits = new Set(ofName.flatMap(({ splits }) => splits ?? []));
    return splits.size === 0 ? { name } : { name, splits: [...splits] };
  });
}

/**
 * A dataset with the splits of it that a profile reads, where it reads splits.
 *
 * @param options.corrects whether last layers are trained and measured on it, which takes all splits.
 */
export function datasetNeed(
  name: string,
  { profile: { probePool, classes }, corrects }: {
    readonly profile: Profile;
    readonly corrects: boolean;
  },
): Need {
  const pool = probePool.flatMap((source) =>
    "split" in source && source.dataset === name ? [source.split.value] : []
  );
  const splits = "dataset" in classes && classes.dataset === name ? [...pool, classes.split] : pool;
  return splits.length === 0 || corrects ? { name } : { name, splits: [...new Set(splits)] };
}

/** A model whose files are not there is planned all the same, with "missing" in its identity. */
function isMissing(identity: unknown): boolean {
  return identity === "missing" ||
    (typeof identity === "object" && identity !== null && "weights" in identity &&
      identity.weights === "missing");
}
