import { join } from "node:path";
import type { z } from "zod";
import {
  type DatasetConfig,
  datasetSchema,
  type Experiment,
  loadConfig,
  type Method,
  methodSchema,
  type Plain,
  plain,
  type Profile,
  promptsSchema,
  type WorldConfig,
  worldSchema,
} from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import { readBroden, readImageNet } from "../datasets/mod.ts";
import { worldClasses, worldConcepts } from "../world/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import { cavsStage } from "./cavs_stage.ts";
import { conceptsStage, labelsStage, textStage } from "./concept_stages.ts";
import { featuresStage } from "./features_stage.ts";
import { type DatasetFiles, filesStage } from "./files_stage.ts";
import { type Measurement, measurementsStage } from "./measurements_stage.ts";
import type { ImageModel, PlanModels } from "./models.ts";
import { pairsStage } from "./pairs_stage.ts";
import type { PlannedEngine, PlanSpec } from "./plan_spec.ts";
import { probesStage } from "./probes_stage.ts";
import { type ReadableImages, readableStage } from "./readable_stage.ts";
import type { Stage } from "./stage.ts";

/** The plan of one table: its measurements, per backbone, and the configs that they follow. */
export interface ConceptExperiment {
  readonly experiment: Experiment;
  readonly measurements: ReadonlyMap<string, Stage<readonly Measurement[]>>;
  /** The images that take part, by dataset. */
  readonly readable: Readonly<Record<string, Stage<ReadableImages>>>;
  /** Every config of the experiment with the sources of its values, by file. */
  readonly configs: Readonly<Record<string, unknown>>;
  /** What identifies every model that the plan runs, by name. */
  readonly models: Readonly<Record<string, unknown>>;
}

/** Lays out the stages of an experiment that trains and measures CAVs. */
export async function planConceptExperiment(
  experiment: Experiment,
  { spec, profile, engine, models }: {
    readonly models: PlanModels;
    readonly spec: PlanSpec;
    readonly profile: Profile;
    readonly engine: PlannedEngine;
  },
): Promise<ConceptExperiment> {
  const configs = await readConfigs(experiment, { spec, profile });
  const settings = plain(experiment) as Plain<Experiment>;
  const { device } = spec;
  const filesOf = (dataset: "broden" | "imagenet") =>
    filesStage(dataset, {
      spec,
      profile,
      world: configs.world && withSplit(configs.world, settings.probePool.split),
    });
  const broden = await filesOf("broden");
  const imagenet = await filesOf("imagenet");
  const labels = labelsStage(broden);
  const { split } = settings.probePool;
  const readable = {
    broden: readableStage(broden, {
      of: "broden",
      policy: configs.unreadable.broden,
      open: async (folder) => (await readBroden(folder)).images,
    }),
    imagenet: readableStage(imagenet, {
      of: `imagenet ${split}`,
      policy: configs.unreadable.imagenet,
      open: async (folder) => (await readImageNet(folder, split)).images,
    }),
  };
  const concepts = conceptsStage({ files: broden, labels, readable: readable.broden }, {
    experiment: settings,
    filter: configs.filter,
  });
  const pairs = await pairsStage({ files: imagenet, concepts }, {
    spec,
    pairs: plain(profile.pairs),
    split,
  });
  const vl = await models.vl(profile.vlModel);
  const text = textStage(concepts, {
    model: vl,
    prompts: configs.prompts,
    batch: profile.batch.texts,
    device,
  });
  const featuresOf = (model: ImageModel): readonly [Stage<Tensor>, Stage<Tensor>] => {
    const common = { batch: profile.batch.images, device };
    return [
      conceptFeatures(model, { broden, concepts, images: configs.images.broden, ...common }),
      poolFeatures(model, {
        imagenet,
        readable: readable.imagenet,
        split,
        images: configs.images.pool,
        ...common,
      }),
    ];
  };
  const vlFeatures = featuresOf(vl);
  const probes = probesStage({ concepts, text, vlFeatures }, settings.probes);
  const measurements = new Map<string, Stage<readonly Measurement[]>>();
  const identities: Record<string, unknown> = { [vl.name]: vl.identity };
  for (const backbone of experiment.backbones) {
    const target = await models.target(backbone);
    const features = featuresOf(target);
    const cavs = cavsStage({
      backbone,
      methods: configs.methods,
      seeds: settings.seeds,
      concepts,
      text,
      probes,
      features,
      vlFeatures,
      normaliseText: normaliseTextOf(configs.methods),
      engine,
    });
    identities[backbone] = target.identity;
    measurements.set(
      backbone,
      measurementsStage({ target, concepts, pairs, features: features[0], cavs }),
    );
  }
  return { experiment, measurements, readable, configs: configs.files, models: identities };
}

/** How many images Broden and the probe pool have, at most, before they are opened. */
function imageCounts(
  world: WorldConfig | undefined,
  { broden, imagenet, split }: {
    readonly broden: Pick<DatasetConfig, "images">;
    readonly imagenet: Pick<DatasetConfig, "images">;
    readonly split: "train" | "val";
  },
): { readonly broden: number; readonly pool: number } {
  if (world === undefined) {
    return { broden: broden.images["all"] ?? 0, pool: imagenet.images[split] ?? 0 };
  }
  const { trainPerClass, valPerClass } = world.imagenet;
  return {
    broden: worldConcepts().length * world.broden.imagesPerConcept + world.broden.mixedImages,
    pool: worldClasses().length * (split === "val" ? valPerClass : trainPerClass),
  };
}

/** The world with one split of its ImageNet: nothing reads the other, so it is not rendered. */
function withSplit(world: WorldConfig, split: "train" | "val"): WorldConfig {
  const unused = split === "val" ? { trainPerClass: 0 } : { valPerClass: 0 };
  return { ...world, imagenet: { ...world.imagenet, ...unused } };
}

/** Whether prompts are normalised before they are averaged: a setting that the methods share. */
function normaliseTextOf(methods: readonly Method[]): boolean {
  const chosen = new Set(
    methods.flatMap(({ base, hyperparameters }) =>
      base === "lg_cav" ? [hyperparameters.normaliseText] : []
    ),
  );
  if (chosen.size > 1) {
    throw new UserError(
      "The LG-CAV methods in configs/methods differ in normaliseText. Give all the same value.",
    );
  }
  return [...chosen][0] ?? true;
}

interface Batching {
  /** How many images the dataset has. */
  readonly images: number;
  readonly batch: number;
  readonly device: PlanSpec["device"];
}

function conceptFeatures(
  model: ImageModel,
  { broden, concepts, images, batch, device }: Batching & {
    readonly broden: Stage<DatasetFiles>;
    readonly concepts: Parameters<typeof textStage>[0];
  },
): Stage<Tensor> {
  return featuresStage(model, {
    of: "broden",
    needs: [broden, concepts],
    images,
    batch,
    device,
    choose: async ({ valueOf }) => ({
      images: (await readBroden((await valueOf(broden)).folder)).images,
      indices: (await valueOf(concepts)).images,
    }),
  });
}

function poolFeatures(
  model: ImageModel,
  { imagenet, readable, split, images, batch, device }: Batching & {
    readonly imagenet: Stage<DatasetFiles>;
    readonly readable: Stage<ReadableImages>;
    readonly split: "train" | "val";
  },
): Stage<Tensor> {
  return featuresStage(model, {
    of: `imagenet ${split}`,
    needs: [imagenet, readable],
    images,
    batch,
    device,
    choose: async ({ valueOf }) => {
      const { images } = await readImageNet((await valueOf(imagenet)).folder, split);
      return { images, indices: (await valueOf(readable)).indices };
    },
  });
}

/** The config files of an experiment, read and checked. */
async function readConfigs(
  experiment: Experiment,
  { spec: { root }, profile }: { readonly spec: PlanSpec; readonly profile: Profile },
) {
  const files: Record<string, unknown> = { [`experiments/${experiment.id}.json`]: experiment };
  const read = async <T extends z.ZodType>(path: string, schema: T): Promise<z.output<T>> => {
    const config = await loadConfig(join(root, path), schema);
    files[path] = config;
    return config;
  };
  const methods: Method[] = [];
  for (const method of experiment.methods) {
    methods.push(plain(await read(`configs/methods/${method}.json`, methodSchema)) as Method);
  }
  const { singleConcept, ...broden } = await read("configs/datasets/broden.json", datasetSchema);
  const imagenet = await read("configs/datasets/imagenet.json", datasetSchema);
  if (singleConcept === undefined) {
    throw new UserError("configs/datasets/broden.json has no singleConcept. Add it.");
  }
  const location = profile.datasets[experiment.dataset];
  const world = location !== undefined && "world" in location
    ? plain(await read(location.world, worldSchema))
    : undefined;
  return {
    files,
    methods,
    world,
    unreadable: { broden: broden.unreadable, imagenet: imagenet.unreadable },
    images: imageCounts(world, { broden, imagenet, split: experiment.probePool.split.value }),
    filter: plain(singleConcept),
    prompts: plain(await read("configs/paper/prompts.json", promptsSchema)),
  };
}
