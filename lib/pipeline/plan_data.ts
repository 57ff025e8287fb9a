import { join, resolve } from "node:path";
import type { ConceptImageSet } from "../concepts/mod.ts";
import {
  type DatasetConfig,
  datasetSchema,
  loadConfig,
  plain,
  type Profile,
  type WorldConfig,
  worldSchema,
} from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import { decoderVersion, type LabelledImages } from "../images/mod.ts";
import type { Digests } from "../store/mod.ts";
import { worldConcepts, type WorldDataset, worldDatasets, worldImages } from "../world/mod.ts";
import { renderingEstimate } from "./_estimates.ts";
import type { GraphBuilder } from "./graph.ts";
import type { Stage } from "./stage.ts";
import {
  classesKind,
  conceptsKind,
  type DatasetFiles,
  folderKind,
  type ImagesOf,
  labelsKind,
  listedClassesKind,
  type ReadableImages,
  readableKind,
  worldKind,
} from "./stages/mod.ts";

/** Images of a dataset: its files, and which of them can be read. */
export interface PlannedImages {
  /** For people, such as "imagenet val". */
  readonly name: string;
  readonly of: ImagesOf;
  readonly files: Stage<DatasetFiles>;
  readonly readable: Stage<ReadableImages>;
  /** How many there are, at most. */
  readonly count: number;
}

/** The stages of the images that a plan looks at. */
export interface PlannedData {
  readonly images: PlannedImages;
  readonly concepts: Stage<ConceptImageSet>;
  /** How many concepts there are, at most. */
  readonly conceptCount: number;
  /** The classes of the target models, in the order of their logits. */
  readonly classes: Stage<LabelledImages["classes"]>;
  /** Whether images of other concepts are probes. */
  readonly otherConcepts: boolean;
  /** The other sources of probes. */
  readonly pool: readonly PlannedImages[];
  /** Every config that was read, by file. */
  readonly configs: Readonly<Record<string, unknown>>;
}

/** Where data are looked for. */
interface DataOptions {
  readonly graph: GraphBuilder;
  readonly root: string;
  readonly profile: Profile;
  readonly digests: Digests;
  /** Collects the configs that are read, by file. */
  readonly configs: Record<string, unknown>;
}

/** Lays out the stages of a dataset of concepts, of the probe pool and of the classes. */
export async function planData(
  dataset: string,
  options: Omit<DataOptions, "configs">,
): Promise<PlannedData> {
  const configs: Record<string, unknown> = {};
  const planned = { ...options, configs };
  const { images, concepts, conceptCount } = await planConcepts(dataset, planned);
  const pool: PlannedImages[] = [];
  for (const source of options.profile.probePool) {
    if ("folder" in source) pool.push(await folderImages(source.folder, planned));
    else if ("split" in source) {
      pool.push(await datasetImages(source.dataset, source.split.value, planned));
    }
  }
  const otherConcepts = options.profile.probePool.some((source) => "images" in source);
  return {
    images,
    concepts,
    conceptCount,
    classes: await planClasses(planned),
    otherConcepts,
    pool,
    configs,
  };
}

async function planConcepts(dataset: string, options: DataOptions) {
  const { singleConcept, classes } = await readDataset(dataset, options);
  if (singleConcept === undefined) {
    throw new UserError(
      `configs/datasets/${dataset}.json has no singleConcept, so the dataset has no concepts. ` +
        `Name another one as the factor "dataset".`,
    );
  }
  const images = await datasetImages(dataset, undefined, options);
  const { files, readable } = images;
  const labels = options.graph.stage(labelsKind, {
    id: `labels ${dataset}`,
    inputs: { policy: (await readDataset(dataset, options)).unreadable, decoder: decoderVersion },
    needs: { files },
    how: null,
    work: `reads the masks of ${dataset}`,
  });
  const concepts = options.graph.stage(conceptsKind, {
    id: `concepts ${dataset}`,
    inputs: { filter: plain(singleConcept) },
    needs: { files, labels, readable },
    how: null,
    work: "selects single-concept images and their negatives",
  });
  const location = options.profile.datasets[dataset]!;
  const conceptCount = "world" in location ? worldConcepts().length : classes;
  return { images, concepts, conceptCount };
}

async function planClasses(options: DataOptions): Promise<Stage<LabelledImages["classes"]>> {
  const { classes } = options.profile;
  if ("list" in classes) {
    return options.graph.stage(listedClassesKind, {
      id: `classes ${classes.list}`,
      inputs: { list: classes.list },
      needs: {},
      how: null,
      work: "lists the classes",
    });
  }
  const { name, of, files } = await datasetImages(classes.dataset, classes.split, options);
  if (of.format !== "imagenet") {
    throw new UserError(
      `Profile ${options.profile.name} takes its classes from ${name}, which has none. Name a ` +
        `dataset with classes.`,
    );
  }
  return options.graph.stage(classesKind, {
    id: `classes ${classes.dataset}`,
    inputs: { of },
    needs: { files },
    how: null,
    work: "lists the classes",
  });
}

/** The images of a dataset that a profile locates, or of one of its splits. */
async function datasetImages(
  dataset: string,
  split: "train" | "val" | undefined,
  options: DataOptions,
): Promise<PlannedImages> {
  const config = await readDataset(dataset, options);
  if (config.format !== "broden" && config.format !== "imagenet") {
    throw new UserError(
      `configs/datasets/${dataset}.json has the format ${config.format}, which holds neither ` +
        `concepts nor probes. Name another dataset.`,
    );
  }
  const of: ImagesOf = config.format === "broden"
    ? { format: "broden" }
    : { format: "imagenet", split: split ?? "val" };
  const name = of.format === "imagenet" ? `${dataset} ${of.split}` : dataset;
  const { files, count } = await locate(dataset, { ...options, config, of });
  return imagesOf(name, { ...options, of, files, count, policy: config.unreadable });
}

/** The images of a user's folder. */
async function folderImages(folder: string, options: DataOptions): Promise<PlannedImages> {
  const files = await folderNode(folder, { ...options, dataset: "images", include: () => true });
  return imagesOf(folder, { ...options, of: { format: "folder" }, policy: "fail", ...files });
}

function imagesOf(
  name: string,
  { graph, of, files, count, policy }: Pick<PlannedImages, "of" | "files" | "count"> & {
    readonly graph: GraphBuilder;
    readonly policy: DatasetConfig["unreadable"];
  },
): PlannedImages {
  const readable = graph.stage(readableKind, {
    id: `readable ${name}`,
    inputs: { of, policy, ...(policy === "skip" && { decoder: decoderVersion }) },
    needs: { files },
    how: null,
    work: policy === "skip" ? "decodes every image once" : "lists the images",
  });
  return { name, of, files, readable, count };
}

async function readDataset(
  dataset: string,
  { root, configs }: Pick<DataOptions, "root" | "configs">,
): Promise<DatasetConfig> {
  const path = `configs/datasets/${dataset}.json`;
  const config = await loadConfig(join(root, path), datasetSchema);
  configs[path] = config;
  return config;
}

async function locate(
  dataset: string,
  options: DataOptions & { readonly config: DatasetConfig; readonly of: ImagesOf },
): Promise<{ readonly files: Stage<DatasetFiles>; readonly count: number }> {
  const { profile, root, configs, config, of } = options;
  const location = profile.datasets[dataset];
  if (location === undefined) {
    throw new UserError(
      `configs/profiles/${profile.name}.json names no place for the dataset ${dataset}. Add it.`,
    );
  }
  if ("folder" in location) {
    const include = of.format === "imagenet" ? ofSplit(of.split) : () => true;
    const { files, count } = await folderNode(location.folder, { ...options, dataset, include });
    const split = of.format === "imagenet" ? of.split : "all";
    return { files, count: count || (config.images[split] ?? 0) };
  }
  const spec = await loadConfig(join(root, location.world), worldSchema);
  configs[location.world] = spec;
  return worldNode(dataset, { graph: options.graph, world: plain(spec), of });
}

/** Files that a split of ImageNet is read from: its folder and the lists beside it. */
function ofSplit(split: "train" | "val"): (path: string) => boolean {
  const other = split === "train" ? "val/" : "train/";
  return (path) => !path.startsWith(other);
}

async function folderNode(
  folder: string,
  { graph, root, digests, dataset, include }: DataOptions & {
    readonly dataset: string;
    readonly include: (path: string) => boolean;
  },
): Promise<{ readonly files: Stage<DatasetFiles>; readonly count: number }> {
  const path = resolve(root, folder);
  const tree = await digests.folder(path, { include });
  const files = graph.stage(folderKind, {
    id: `files ${dataset}`,
    inputs: { dataset, digest: tree === undefined || tree.files === 0 ? null : tree.sha256 },
    needs: {},
    how: { folder: path },
    work: `${tree?.files ?? 0} files in ${path}`,
  });
  return { files, count: tree?.files ?? 0 };
}

/** A dataset of the world, with the split alone that is read: nothing else of it is rendered. */
function worldNode(
  dataset: string,
  { graph, world, of }: {
    readonly graph: GraphBuilder;
    readonly world: WorldConfig;
    readonly of: ImagesOf;
  },
): { readonly files: Stage<DatasetFiles>; readonly count: number } {
  if (!worldDatasets.includes(dataset as WorldDataset)) {
    throw new UserError(
      `The world has no dataset ${dataset}; it has ${worldDatasets.join(", ")}. Give a folder.`,
    );
  }
  const split = of.format === "imagenet" ? of.split : undefined;
  const rendered = split === undefined ? world : withSplit(world, split);
  const name = dataset as WorldDataset;
  const { seed, imageSize, [name]: sizes } = rendered;
  const count = worldImages(rendered, name);
  const files = graph.stage(worldKind, {
    id: `world ${split === undefined ? dataset : `${dataset} ${split}`}`,
    inputs: { dataset: name, seed, imageSize, sizes, encoder: decoderVersion },
    needs: {},
    how: { world: rendered },
    work: "renders the images",
    estimate: renderingEstimate({ count, imageSize }),
  });
  return { files, count };
}

function withSplit(world: WorldConfig, split: "train" | "val"): WorldConfig {
  const unused = split === "val" ? { trainPerClass: 0 } : { valPerClass: 0 };
  return { ...world, imagenet: { ...world.imagenet, ...unused } };
}
