import { join } from "node:path";
import {
  builtBackboneSchema,
  datasetSchema,
  hubModelSchema,
  loadConfig,
  oneOf,
  type Profile,
  withSizes,
} from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import { featureCost, vlFeatureCost } from "../models/mod.ts";
import {
  datasetNeed,
  experimentIds,
  loadExperiment,
  loadProfile,
  modelSeconds,
  productsPerSecond,
} from "../pipeline/mod.ts";
import { durationInWords } from "./describe_cost.ts";
import { type Need, type Source, sourcesNeeded } from "../sources/mod.ts";

/** What data are wanted for: a table or figure of the paper, or a profile. */
export type Purpose = { readonly table: string } | { readonly profile: string };

/** The sources of a purpose. */
export interface NeededSources {
  readonly sources: readonly Source[];
  /** How long the run that reads them will take, in a sentence; asked when they are there. */
  readonly estimate?: () => Promise<string>;
}

/**
 * The sources that a purpose needs.
 *
 * @throws {UserError} for an unknown table or profile, or one that needs none.
 */
export async function neededSources(
  all: readonly Source[],
  { purpose, root }: { readonly purpose: Purpose; readonly root: string },
): Promise<NeededSources> {
  if ("table" in purpose) {
    const tables = [...new Set(all.flatMap(({ neededBy }) => neededBy))];
    const table = oneOf("table or figure", purpose.table, tables);
    return { sources: all.filter(({ neededBy }) => neededBy.includes(table)) };
  }
  const profile = await loadProfile(root, purpose.profile);
  const needs = await needsOf(profile, root);
  const sources = sourcesNeeded(all, [...needs.datasets, ...needs.models, ...needs.backbones]);
  if (sources.length === 0) {
    throw new UserError(`The profile ${profile.name} needs nothing that is fetched.`);
  }
  return { sources, estimate: () => timeSentence(needs, { profile, root }) };
}

interface ProfileNeeds {
  readonly datasets: readonly Need[];
  readonly backbones: readonly Need[];
  readonly models: readonly Need[];
}

async function needsOf(profile: Profile, root: string): Promise<ProfileNeeds> {
  const { datasets, backbones, vlModels, pairs } = profile;
  const names = backbones.sizes === "world"
    ? []
    : backbones.names ?? await backbonesOfExperiments(root);
  const models = [
    ...Object.values(vlModels),
    ...("sentenceEncoder" in pairs ? [pairs.sentenceEncoder] : []),
  ];
  return {
    datasets: Object.entries(datasets).flatMap(([name, location]) =>
      "folder" in location ? [datasetNeed(name, profile)] : []
    ),
    backbones: names.map((name) => ({ name })),
    models: [...new Set(models)].map((name) => ({ name })),
  };
}

async function backbonesOfExperiments(root: string): Promise<readonly string[]> {
  const experiments = await Promise.all(
    experimentIds(root).map((id) => loadExperiment(root, id)),
  );
  const names = experiments.flatMap(({ factors: { backbone = [] } }) =>
    "value" in backbone ? backbone.value : backbone
  );
  return [...new Set(names.map(String))];
}

/** How long the models take on every image of the datasets, the larger part of most runs. */
async function timeSentence(
  { datasets, backbones, models }: ProfileNeeds,
  { profile, root }: { readonly profile: Profile; readonly root: string },
): Promise<string> {
  const configs = join(root, "configs");
  let images = 0;
  for (const { name, splits } of datasets) {
    const config = await loadConfig(join(configs, "datasets", `${name}.json`), datasetSchema);
    for (const split of splits ?? Object.keys(config.images)) {
      images += config.images[split] ?? 0;
    }
  }
  let multiplyAdds = 0;
  const unknown: string[] = [];
  for (const { name } of backbones) {
    const path = join(configs, "backbones", `${name}.json`);
    const config = await loadConfig(path, builtBackboneSchema);
    multiplyAdds += featureCost(withSizes(config, profile.backbones.sizes)).multiplyAdds;
  }
  for (const name of models.map(({ name }) => name)) {
    if ("sentenceEncoder" in profile.pairs && name === profile.pairs.sentenceEncoder) continue;
    const config = await loadConfig(join(configs, "vl", `${name}.json`), hubModelSchema);
    const cost = await vlFeatureCost(config, { hubFolder: join(root, "data", "hub") });
    if (cost === undefined) unknown.push(name);
    multiplyAdds += cost?.multiplyAdds ?? 0;
  }
  const seconds = modelSeconds(images * multiplyAdds, {
    products: await productsPerSecond({ device: "cpu" }),
  });
  const without = unknown.length === 0 ? "" : `, ${unknown.join(", ")} not counted`;
  return `On the ${images} images at most, the models will take about ` +
    `${durationInWords(seconds)} on this machine${without}. Next: ` +
    `deno task reproduce table2 --profile ${profile.name}`;
}
