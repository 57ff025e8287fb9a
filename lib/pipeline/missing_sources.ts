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
  const folders = Object.entries(profile.datasets).flatMap(([name, location]) => {
    if (!("folder" in location) || existsSync(resolve(root, location.folder))) return [];
    const need = datasetNeed(name, profile);
    const folder = resolve(root, location.folder);
    if (sourcesNeeded(known, [need]).some(({ path }) => join(data, path) === folder)) return [need];
    throw new UserError(
      `Profile ${profile.name} names the folder ${folder} for the dataset ${name}, which is not ` +
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

/** A dataset with the splits of it that a profile reads, where it reads splits. */
export function datasetNeed(name: string, { probePool, classes }: Profile): Need {
  const pool = probePool.flatMap((source) =>
    "split" in source && source.dataset === name ? [source.split.value] : []
  );
  const splits = "dataset" in classes && classes.dataset === name ? [...pool, classes.split] : pool;
  return splits.length === 0 ? { name } : { name, splits: [...new Set(splits)] };
}

/** A model whose files are not there is planned all the same, with "missing" in its identity. */
function isMissing(identity: unknown): boolean {
  return identity === "missing" ||
    (typeof identity === "object" && identity !== null && "weights" in identity &&
      identity.weights === "missing");
}
