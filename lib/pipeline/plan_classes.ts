import { resolve } from "node:path";
import { UserError } from "../files/mod.ts";
import type { LabelledImages } from "../images/mod.ts";
import { worldClassWords, type WorldDataset } from "../world/mod.ts";
import {
  type DataOptions,
  datasetImages,
  type Located,
  type PlannedImages,
} from "./plan_images.ts";
import type { Stage } from "./stage.ts";
import {
  classesKind,
  type ClassLabels,
  classLabelsKind,
  type ClassWords,
  type LabelledOf,
  scenesKind,
  type View,
} from "./stages/mod.ts";

/** One split of a dataset of classes. */
export interface PlannedSplit {
  readonly images: PlannedImages;
  readonly labels: Stage<ClassLabels>;
  /** Planned where it is asked for: not every dataset tells the scenes of its images. */
  readonly scenes: () => Stage<readonly string[]>;
}

/** A dataset of classes: what a last layer is corrected and measured on. */
export interface PlannedClasses {
  readonly name: string;
  readonly train: PlannedSplit;
  readonly test: PlannedSplit;
  /** The classes of the whole dataset in the order of the logits; of a view, more than its own. */
  readonly classes: Stage<LabelledImages["classes"]>;
  readonly view?: View;
  readonly classCount: number;
  /** What describes each class. */
  readonly descriptions: () => Promise<PlannedWords>;
  /** What each class is called in a text. */
  readonly names: PlannedWords;
  readonly configs: Readonly<Record<string, unknown>>;
}

/** Words for classes, and the file that holds them, if any. */
export interface PlannedWords {
  readonly words: ClassWords;
  readonly file?: string;
}

/**
 * Lays out the images and classes of both splits of a dataset with classes.
 *
 * @param options.sceneCorrelation of the training split, instead of that of the world's config.
 * @throws {UserError} for a dataset without classes.
 */
export async function planClassDataset(
  dataset: Located,
  { sceneCorrelation, ...options }: DataOptions & {
    readonly sceneCorrelation?: number | undefined;
  },
): Promise<PlannedClasses> {
  const { name } = dataset;
  const { graph, configs } = options;
  const view = viewOf(dataset);
  const of = splitsOf(dataset, view);
  const train = await planSplit(dataset, { ...options, of: of.train, sceneCorrelation });
  const test = await planSplit(dataset, { ...options, of: of.test });
  const classes = graph.stage(classesKind, {
    id: `classes of ${train.images.name}`,
    inputs: { of: splitsOf(dataset, undefined).train },
    needs: { files: train.images.files },
    how: null,
    work: "lists the classes",
  });
  const words = wordsOf(dataset, options);
  const classCount = countClasses(dataset);
  return { name, train, test, classes, classCount, ...(view && { view }), ...words, configs };
}

/** The world's dataset stands for the whole; of another place, a view takes its classes alone. */
function viewOf({ name, config: { view }, location }: Located): View | undefined {
  if (view === undefined || "world" in location) return undefined;
  return { name, classes: view.classes.map(({ wnid: id, name }) => ({ id, name })) };
}

function countClasses({ config: { classes }, at, location }: Located): number {
  if (!("world" in location)) return classes;
  return worldClassWords((location.dataset ?? at) as WorldDataset)?.size ?? 0;
}

async function planSplit(
  dataset: Located,
  options: DataOptions & {
    readonly of: LabelledOf;
    readonly sceneCorrelation?: number | undefined;
  },
): Promise<PlannedSplit> {
  const { graph, of } = options;
  const images = await datasetImages(dataset, options);
  const { files, readable } = images;
  const common = { inputs: { of }, needs: { files, readable }, how: null };
  const labels = graph.stage(classLabelsKind, {
    ...common,
    id: `labels of ${images.name}`,
    work: "looks up the class of each image",
  });
  const scenes = () =>
    graph.stage(scenesKind, {
      ...common,
      id: `scenes of ${images.name}`,
      work: "looks up the scene of each image",
    });
  return { images, labels, scenes };
}

/** The splits that a last layer is trained and measured on. */
function splitsOf(
  { name, config: { format } }: Located,
  view: View | undefined,
): { readonly train: LabelledOf; readonly test: LabelledOf } {
  if (format === "imagenet") {
    const of = { format, ...(view && { view }) };
    return { train: { ...of, split: "train" }, test: { ...of, split: "val" } };
  }
  if (format === "broden") {
    throw new UserError(
      `configs/datasets/${name}.json has the format broden, whose images have no classes. Name ` +
        `another dataset for a model correction.`,
    );
  }
  return { train: { format, split: "train" }, test: { format, split: "test" } };
}

/** Where the words for the classes of a dataset come from. */
function wordsOf(
  { name, config, at, location }: Located,
  { root, profile, digests }: DataOptions,
): Pick<PlannedClasses, "descriptions" | "names"> {
  if ("world" in location) {
    const words = { from: "world", dataset: (location.dataset ?? at) as WorldDataset } as const;
    return { names: { words }, descriptions: () => Promise.resolve({ words }) };
  }
  const names = { words: { from: "names" } } as const;
  if (location.descriptions !== undefined) {
    const file = resolve(root, location.descriptions);
    return {
      names,
      descriptions: async () => {
        const digest = await digests.file(file);
        if (digest !== undefined) return { words: { from: "file", digest }, file };
        throw new UserError(
          `configs/profiles/${profile.name}.json names the descriptions ${file}, which are not ` +
            `there. Correct the path.`,
        );
      },
    };
  }
  const { view } = config;
  return {
    names,
    descriptions: () => {
      if (view !== undefined) {
        const descriptions = Object.fromEntries(
          view.classes.map(({ wnid, description }) => [wnid, description]),
        );
        return Promise.resolve({ words: { from: "view", descriptions } });
      }
      throw new UserError(
        `Nothing describes the classes of ${name} in the profile ${profile.name}: give a file of ` +
          `lines class,description as "descriptions" of its folder, or take "confusions" as the ` +
          `"classConcepts" of the experiment.`,
      );
    },
  };
}
