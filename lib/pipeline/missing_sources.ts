import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Profile } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import { measureOf } from "../metrics/mod.ts";
import {
  listSources,
  type Need,
  readSources,
  type Source,
  sourcesNeeded,
  type SourceState,
} from "../sources/mod.ts";
import { closure, type Graph } from "./graph.ts";
import { type PlannedExperiment, targetsOf } from "./plan_experiment.ts";
import { folderKind, type ImagesOf } from "./stages/mod.ts";

/** Where experiments find what they read. */
interface Places {
  readonly root: string;
  readonly profile: Profile;
  readonly graph: Graph;
}

/**
 * What experiments read under a profile that is fetched, wherever it is: datasets and models. The
 * embedded world reads nothing of the kind.
 *
 * @throws {UserError} for a folder of the user's own that is not there: nothing is fetched into it.
 */
export async function sourcesRead(
  experiments: readonly PlannedExperiment[],
  places: Places,
): Promise<{ readonly datasets: readonly Source[]; readonly models: readonly Source[] }> {
  const { root, profile, graph } = places;
  const known = await readSources(join(root, "configs"));
  const data = join(root, "data");
  const datasets = datasetsRead(experiments, graph).filter(({ name }) =>
    isFetched(name, { root, profile, known, data })
  );
  const havePairs = experiments.some(({ experiment: { measures } }) =>
    measures.some((name) =>
      ["pairs", "relations", "significance", "reweightings"].includes(measureOf(name).over)
    )
  );
  const models = [
    ...experiments.flatMap(({ models }) => Object.keys(models)),
    ...(havePairs && "sentenceEncoder" in profile.pairs ? [profile.pairs.sentenceEncoder] : []),
  ];
  return {
    datasets: sourcesNeeded(known, datasets),
    models: sourcesNeeded(known, models.map((name) => ({ name }))),
  };
}

/**
 * What experiments read under a profile and is not on this machine, each with how to get it.
 *
 * @throws {UserError} as {@linkcode sourcesRead} does.
 */
export async function missingSources(
  experiments: readonly PlannedExperiment[],
  places: Places,
): Promise<readonly SourceState[]> {
  const data = join(places.root, "data");
  const { datasets, models } = await sourcesRead(experiments, places);
  const there = new Set(
    experiments.flatMap(({ models }) =>
      Object.entries(models).flatMap(([name, identity]) => isMissing(identity) ? [] : [name])
    ),
  );
  const states = await listSources([
    ...datasets.filter((source) => !isArranged(source, data)),
    ...models.filter(({ name }) => !there.has(name)),
  ], { root: data });
  return states.filter(({ state }) => state === "missing" || state === "partial");
}

/** The datasets that lie in folders, with the splits that the stages of experiments read of them. */
function datasetsRead(experiments: readonly PlannedExperiment[], graph: Graph): Need[] {
  const listed = experiments.flatMap(({ images }) => images.map(({ readable }) => readable.key));
  const splits = new Map<string, Set<string>>();
  for (
    const { needs: { files }, inputs } of closure(graph, [...targetsOf(experiments), ...listed])
  ) {
    const node = files === undefined ? undefined : graph.get(files);
    if (node === undefined || node.kind !== folderKind.name) continue;
    const { dataset } = node.inputs as { readonly dataset: string };
    const { of } = inputs as { readonly of?: ImagesOf };
    const known = splits.get(dataset) ?? new Set();
    if (of !== undefined && "split" in of) known.add(of.split);
    splits.set(dataset, known);
  }
  return [...splits].map(([name, read]) =>
    read.size === 0 ? { name } : { name, splits: [...read] }
  );
}

/**
 * Whether a dataset lies where it is fetched to, or linked; another folder is the user's own.
 *
 * @throws {UserError} when it is the user's own and not there.
 */
function isFetched(
  name: string,
  { root, profile, known, data }: {
    readonly root: string;
    readonly profile: Profile;
    readonly known: readonly Source[];
    readonly data: string;
  },
): boolean {
  const location = profile.datasets[name];
  if (location === undefined || !("folder" in location)) return false;
  const folder = resolve(root, location.folder);
  if (sourcesNeeded(known, [{ name }]).some(({ path }) => join(data, path) === folder)) return true;
  if (existsSync(folder)) return false;
  throw new UserError(
    `Profile ${profile.name} names the folder ${folder} for the dataset ${name}, which is not ` +
      `there. Correct the path in configs/profiles/${profile.name}.json.`,
  );
}

/**
 * Whether a dataset's folder has what marks it, on the first level: its classes may be some of the
 * user's choice.
 */
function isArranged({ markers, path }: Source, data: string): boolean {
  return markers.every((marker) =>
    marker.split(" or ").some((name) => existsSync(join(data, path, name.split("/")[0]!)))
  );
}

/** A model whose files are not there is planned all the same, with "missing" in its identity. */
function isMissing(identity: unknown): boolean {
  return identity === "missing" ||
    (typeof identity === "object" && identity !== null && "weights" in identity &&
      identity.weights === "missing");
}
