import { join, resolve } from "node:path";
import {
  type DatasetConfig,
  type DatasetLocation,
  datasetSchema,
  loadConfig,
  plain,
  type Profile,
  type WorldConfig,
  worldSchema,
} from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import { decoderVersion } from "../images/mod.ts";
import type { Digests } from "../store/mod.ts";
import { type WorldDataset, worldDatasets, worldImages } from "../world/mod.ts";
import { renderingEstimate } from "./_estimates.ts";
import type { GraphBuilder } from "./graph.ts";
import type { Stage } from "./stage.ts";
import {
  type DatasetFiles,
  folderKind,
  type ImagesOf,
  type ReadableImages,
  readableKind,
  worldKind,
} from "./stages/mod.ts";
import { UnavailableError } from "./unavailable_error.ts";

/** Images of a dataset: its files, and which of them can be read. */
export interface PlannedImages {
  /** For people, such as "imagenet val". */
  readonly name: string;
  /** The dataset whose files they are, unless they are a folder of the user's. */
  readonly dataset?: string;
  readonly of: ImagesOf;
  readonly files: Stage<DatasetFiles>;
  readonly readable: Stage<ReadableImages>;
  /** How many there are, at most. */
  readonly count: number;
}

/** Where data are looked for. */
export interface DataOptions {
  readonly graph: GraphBuilder;
  readonly root: string;
  readonly profile: Profile;
  readonly digests: Digests;
  /** Collects the configs that are read, by file. */
  readonly configs: Record<string, unknown>;
}

/** A dataset with the place that its profile names. */
export interface Located {
  readonly name: string;
  readonly config: DatasetConfig;
  /** The dataset whose place it is: of a view that has no own, the whole. */
  readonly at: string;
  readonly location: DatasetLocation;
}

/** Settings of a dataset of the world in place of its config's; none of them of another place. */
export interface Rendering {
  readonly coOccurrence?: number;
  readonly variety?: number;
  readonly shift?: number;
}

/**
 * Reads the config of a dataset and finds its place.
 *
 * @throws {UnavailableError} when the profile names none.
 */
export async function locateDataset(name: string, options: DataOptions): Promise<Located> {
  const { profile, root, configs } = options;
  const path = `configs/datasets/${name}.json`;
  const config = await loadConfig(join(root, path), datasetSchema);
  configs[path] = config;
  const at = profile.datasets[name] === undefined && config.view ? config.view.of : name;
  const location = profile.datasets[at];
  if (location !== undefined) return { name, config, at, location };
  throw new UnavailableError(
    `configs/profiles/${profile.name}.json names no place for the dataset ${at}. Add it.`,
  );
}

/**
 * Lays out the images of a dataset that a profile locates, or of one of its splits.
 *
 * @param options.sceneCorrelation replaces that of the world's config.
 * @param options.rendering replaces other settings of it.
 */
export async function datasetImages(
  { name, config, at, location }: Located,
  { of, sceneCorrelation, rendering = {}, ...options }: DataOptions & {
    readonly of: Exclude<ImagesOf, { readonly format: "folder" }>;
    readonly sceneCorrelation?: number | undefined;
    readonly rendering?: Rendering;
  },
): Promise<PlannedImages> {
  const { graph, root, configs } = options;
  const split = "split" in of ? of.split : undefined;
  const title = split === undefined ? name : `${name} ${split}`;
  const planned = { graph, of, dataset: at, policy: config.unreadable };
  if ("folder" in location) {
    if (sceneCorrelation !== undefined) {
      throw new UnavailableError(
        `The profile ${options.profile.name} has ${at} as a folder of images, whose scenes are what ` +
          `they are, and "sceneCorrelation" asks for images rendered with others. Take the profile ` +
          `world, which renders them.`,
      );
    }
    requireNoRendering(rendering, { dataset: at, profile: options.profile });
    const include = (path: string) => !isOfOtherSplit(path, of);
    const { files, count } = await folderNode(location.folder, {
      ...options,
      name: at,
      split,
      include,
    });
    return imagesOf(title, {
      ...planned,
      files,
      count: isCounted(config) && count > 0 ? count : config.images[split ?? "all"] ?? count,
    });
  }
  const spec = await loadConfig(join(root, location.world), worldSchema);
  configs[location.world] = spec;
  const { seed = plain(spec).seed } = location;
  const rendered = { graph, world: { ...plain(spec), seed }, split, sceneCorrelation, rendering };
  return imagesOf(
    [title, sceneCorrelation, ...renderingWords(rendering)].filter((word) => word !== undefined)
      .join(" "),
    { ...planned, ...worldNode(location.dataset ?? at, rendered) },
  );
}

/** Refuses images that are rendered otherwise where they are a folder's. */
function requireNoRendering(
  rendering: Rendering,
  { dataset, profile: { name } }: { readonly dataset: string; readonly profile: Profile },
): void {
  const [setting] = Object.keys(rendering);
  if (setting === undefined) return;
  const dial = setting === "shift" ? "probeShift" : setting;
  throw new UnavailableError(
    `The profile ${name} has ${dataset} as a folder of images, which are as they are, and ` +
      `"dials.${dial}" asks for images rendered otherwise. Take the profile world, which renders them.`,
  );
}

function renderingWords(rendering: Rendering): string[] {
  return Object.entries(rendering).map(([setting, level]) => `${setting} ${level}`);
}

/** Whether a dataset has no more images than files: a view has fewer, and CIFAR-100 is one file a split. */
function isCounted({ view, format }: DatasetConfig): boolean {
  return view === undefined && format !== "cifar100";
}

/**
 * Lays out the images of a user's folder.
 *
 * @param options.policy what happens with images that cannot be read; `fail` when left out.
 */
export async function folderImages(
  folder: string,
  { policy = "fail", ...options }:
    & Pick<DataOptions, "graph" | "root" | "digests">
    & { readonly policy?: DatasetConfig["unreadable"] },
): Promise<PlannedImages> {
  const files = await folderNode(folder, { ...options, name: "images", include: () => true });
  return imagesOf(folder, {
    graph: options.graph,
    of: { format: "folder" },
    policy,
    ...files,
  });
}

/** Images of a name, with the stage that says which of them can be read. */
export function imagesOf(
  name: string,
  { graph, policy, ...images }: Omit<PlannedImages, "name" | "readable"> & {
    readonly graph: GraphBuilder;
    readonly policy: DatasetConfig["unreadable"];
  },
): PlannedImages {
  const { of, files } = images;
  const readable = graph.stage(readableKind, {
    id: `readable ${name}`,
    inputs: { of, policy, ...(policy === "skip" && { decoder: decoderVersion }) },
    needs: { files },
    how: null,
    work: policy === "skip" ? "decodes every image once" : "lists the images",
  });
  return { name, ...images, readable };
}

/** Whether a file belongs to the other split alone: each split is known by what is read of it. */
function isOfOtherSplit(path: string, of: ImagesOf): boolean {
  if (of.format === "imagenet") return path.startsWith(of.split === "train" ? "val/" : "train/");
  if (of.format === "cifar100") return path === (of.split === "train" ? "test.bin" : "train.bin");
  return false;
}

async function folderNode(
  folder: string,
  { graph, root, digests, name, split, include }:
    & Pick<DataOptions, "graph" | "root" | "digests">
    & {
      readonly name: string;
      readonly split?: string | undefined;
      readonly include: (path: string) => boolean;
    },
): Promise<{ readonly files: Stage<DatasetFiles>; readonly count: number }> {
  const path = resolve(root, folder);
  const tree = await digests.folder(path, { include });
  const files = graph.stage(folderKind, {
    id: ["files", name, split].filter((part) => part !== undefined).join(" "),
    inputs: { dataset: name, digest: tree === undefined || tree.files === 0 ? null : tree.sha256 },
    needs: {},
    how: { folder: path },
    work: `${tree?.files ?? 0} files in ${path}`,
  });
  return { files, count: tree?.files ?? 0 };
}

/** A dataset of the world, with the split alone that is read: nothing else of it is rendered. */
function worldNode(
  dataset: string,
  { graph, world, split, sceneCorrelation, rendering }: {
    readonly graph: GraphBuilder;
    readonly world: WorldConfig;
    readonly split: "train" | "val" | "test" | undefined;
    readonly sceneCorrelation: number | undefined;
    readonly rendering: Rendering;
  },
): { readonly files: Stage<DatasetFiles>; readonly count: number } {
  if (!worldDatasets.includes(dataset as WorldDataset)) {
    throw new UserError(
      `The world has no dataset ${dataset}; it has ${worldDatasets.join(", ")}. Give a folder.`,
    );
  }
  const name = dataset as WorldDataset;
  const sizes = {
    ...world[name],
    ...(split !== undefined && unusedSplit(name, split)),
    ...(sceneCorrelation !== undefined && { sceneCorrelation }),
    ...rendering,
  };
  const rendered: WorldConfig = { ...world, [name]: sizes };
  const { seed, imageSize } = rendered;
  const count = worldImages(rendered, name);
  const files = graph.stage(worldKind, {
    id: ["world", dataset, split, sceneCorrelation, ...renderingWords(rendering)]
      .filter((part) => part !== undefined).join(" "),
    inputs: { dataset: name, seed, imageSize, sizes: rendered[name], encoder: decoderVersion },
    needs: {},
    how: { world: rendered },
    work: "renders the images",
    estimate: renderingEstimate({ count, imageSize }),
  });
  return { files, count };
}

/** No image of the split that is not read. */
function unusedSplit(dataset: WorldDataset, split: "train" | "val" | "test") {
  if (split !== "train") return { trainPerClass: 0 };
  return dataset === "imagenet" ? { valPerClass: 0 } : { testPerClass: 0 };
}
