import { join } from "node:path";
import {
  builtBackboneSchema,
  datasetSchema,
  hubModelSchema,
  loadConfig,
  type Profile,
  withSizes,
} from "../config/mod.ts";
import { factorLevels } from "../experiment/mod.ts";
import { UserError } from "../files/mod.ts";
import { featureCost, vlFeatureCost } from "../models/mod.ts";
import {
  buildPlan,
  experimentIds,
  loadExperiment,
  loadProfile,
  modelSeconds,
  productsPerSecond,
  sourcesRead,
} from "../pipeline/mod.ts";
import { durationInWords } from "./describe_cost.ts";
import { type Need, type Source, sourcesNeeded } from "../sources/mod.ts";
import { openDigests } from "../store/mod.ts";

/** What data are wanted for: an experiment in the profile `paper`, or all of a profile. */
export type Purpose = { readonly experiment: string } | { readonly profile: string };

/** The sources of a purpose. */
export interface NeededSources {
  readonly sources: readonly Source[];
  /** How long the run that reads them will take, in a sentence; asked when they are there. */
  readonly estimate?: () => Promise<string>;
}

/**
 * The sources that a purpose needs.
 *
 * @throws {UserError} for an unknown experiment or profile, or one that needs none.
 */
export async function neededSources(
  all: readonly Source[],
  { purpose, root }: { readonly purpose: Purpose; readonly root: string },
): Promise<NeededSources> {
  if ("experiment" in purpose) return { sources: await readBy(purpose.experiment, { all, root }) };
  const profile = await loadProfile(root, purpose.profile);
  const readings = await readingsOf(profile, root);
  const models = [
    ...readings.flatMap(({ backbones, vlModels }) => [...backbones, ...vlModels]),
    ...("sentenceEncoder" in profile.pairs ? [profile.pairs.sentenceEncoder] : []),
  ];
  const needs = [
    ...readings.flatMap(({ datasets }) => datasets),
    ...models.map((name) => ({ name })),
  ];
  const sources = sourcesNeeded(all, needs);
  if (sources.length === 0) {
    throw new UserError(`The profile ${profile.name} needs nothing that is fetched.`);
  }
  return { sources, estimate: () => timeSentence(readings, { profile, root }) };
}

/** What an experiment reads in the profile `paper`, as its plan says; what is there is not read. */
async function readBy(
  id: string,
  { all, root }: { readonly all: readonly Source[]; readonly root: string },
): Promise<readonly Source[]> {
  const data = join(root, "data");
  const isFetched = (path: string) =>
    all.some((source) => `${path}/`.startsWith(`${join(data, source.path)}/`));
  const digests = openDigests(join(root, ".cache"));
  const plan = await buildPlan(
    { root, profile: "paper", experiments: [id], engine: "ort", device: "cpu" },
    {
      digests: {
        file: async (path) => isFetched(path) ? undefined : await digests.file(path),
        folder: async (path, options) =>
          isFetched(path) ? undefined : await digests.folder(path, options),
        save: () => Promise.resolve(),
      },
    },
  );
  const { datasets, models } = await sourcesRead(plan.experiments, { root, ...plan });
  return [...datasets, ...models];
}

/** Datasets with the splits that are read of them, and the models that read them. */
interface Reading {
  readonly datasets: readonly Need[];
  readonly backbones: readonly string[];
  readonly vlModels: readonly string[];
}

/** What the experiments read that a profile can make, one after another. */
async function readingsOf(profile: Profile, root: string): Promise<Reading[]> {
  const { backbones: { names, sizes }, vlModels } = profile;
  if (sizes === "world") return [];
  const readings: Reading[] = [];
  for (const id of experimentIds(root)) {
    const levels = factorLevels(await loadExperiment(root, id));
    const of = (factor: string) => levels.get(factor)!.map(String);
    const datasets = await Promise.all(of("dataset").map((name) => splitsOf(name, profile, root)));
    const backbones = of("backbone").filter((name) => names?.includes(name) ?? true);
    if (datasets.flat().length === 0 || backbones.length === 0) continue;
    readings.push({
      datasets: datasets.flat(),
      backbones,
      vlModels: of("vlModel").flatMap((name) => vlModels[name] ?? []),
    });
  }
  return readings;
}

/** What is read of a dataset: of one with classes all splits, of one with concepts the pool too. */
async function splitsOf(dataset: string, profile: Profile, root: string): Promise<Need[]> {
  const { format, view } = await datasetConfig(dataset, root);
  const name = profile.datasets[dataset] === undefined ? view?.of ?? dataset : dataset;
  if (profile.datasets[name] === undefined) return [];
  const { images } = await datasetConfig(name, root);
  if (format !== "broden") return [{ name, splits: Object.keys(images) }];
  const pool = profile.probePool.flatMap((source) =>
    "split" in source ? [{ name: source.dataset, splits: [source.split.value] }] : []
  );
  const { classes } = profile;
  return [
    { name },
    ...pool,
    ...("dataset" in classes ? [{ name: classes.dataset, splits: [classes.split] }] : []),
  ];
}

function datasetConfig(name: string, root: string) {
  return loadConfig(join(root, "configs", "datasets", `${name}.json`), datasetSchema);
}

/** How long the models take on every image that they read, the larger part of most runs. */
async function timeSentence(
  readings: readonly Reading[],
  { profile, root }: { readonly profile: Profile; readonly root: string },
): Promise<string> {
  const read = new Map<string, { readonly model: string; readonly images: number }>();
  const seen = new Map<string, number>();
  const costs = new Map<string, number | undefined>();
  for (const { datasets, backbones, vlModels } of readings) {
    for (const { name, splits } of datasets) {
      const { images } = await datasetConfig(name, root);
      for (const split of splits ?? Object.keys(images)) {
        const count = images[split] ?? 0;
        seen.set(`${name} ${split}`, count);
        for (const model of [...backbones, ...vlModels]) {
          read.set(`${model} ${name} ${split}`, { model, images: count });
        }
      }
    }
    for (const name of backbones) {
      if (!costs.has(name)) costs.set(name, await backboneCost(name, { profile, root }));
    }
    for (const name of vlModels) if (!costs.has(name)) costs.set(name, await vlCost(name, root));
  }
  const multiplyAdds = [...read.values()].reduce(
    (sum, { model, images }) => sum + images * (costs.get(model) ?? 0),
    0,
  );
  const seconds = modelSeconds(multiplyAdds, {
    products: await productsPerSecond({ device: "cpu" }),
  });
  const unknown = [...costs].flatMap(([name, cost]) => cost === undefined ? [name] : []);
  const without = unknown.length === 0 ? "" : `, ${unknown.join(", ")} not counted`;
  const images = [...seen.values()].reduce((sum, count) => sum + count, 0);
  return `On the ${images} images at most, the models of all experiments will take about ` +
    `${durationInWords(seconds)} on this machine${without}; with --dry-run ` +
    `"reproduce" says it of some. Next: deno task reproduce table2 --profile ${profile.name}`;
}

async function backboneCost(
  name: string,
  { profile, root }: { readonly profile: Profile; readonly root: string },
): Promise<number> {
  const path = join(root, "configs", "backbones", `${name}.json`);
  const config = await loadConfig(path, builtBackboneSchema);
  return featureCost(withSizes(config, profile.backbones.sizes)).multiplyAdds;
}

async function vlCost(name: string, root: string): Promise<number | undefined> {
  const config = await loadConfig(join(root, "configs", "vl", `${name}.json`), hubModelSchema);
  return (await vlFeatureCost(config, { hubFolder: join(root, "data", "hub") }))?.multiplyAdds;
}
