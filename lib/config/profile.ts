import { z } from "zod";
import { sourced } from "./sourced.ts";

/** A dataset as a folder that the user has, or of the embedded world, rendered into the store. */
const datasetLocation = z.union([
  z.strictObject({
    folder: z.string().min(1),
    /** A file of lines `class,description` after a first line: words for each class. */
    descriptions: z.string().min(1).optional(),
  }),
  z.strictObject({
    world: z.string().min(1),
    /** The world's dataset all of which stands for it; the one of its name when left out. */
    dataset: z.string().optional(),
    /** In place of the seed of the world's config: other images of the same kind. */
    seed: z.int().nonnegative().max(2 ** 32 - 1).optional(),
  }),
]);

/** See {@linkcode profileSchema}. */
export type DatasetLocation = z.output<typeof datasetLocation>;

/** One source of probe images. */
const poolSource = z.union([
  /** The concepts' own images; of each concept, those of the others. */
  z.strictObject({ dataset: z.string(), images: z.literal("other concepts") }),
  z.strictObject({ dataset: z.string(), split: sourced(z.enum(["train", "val"])) }),
  /** Any folder of images. */
  z.strictObject({ folder: z.string().min(1) }),
]);

/** Which class each concept belongs to. */
const pairsLocation = z.union([
  /** As the world's classes are defined. */
  z.strictObject({ world: z.literal(true) }),
  /** A file of lines `concept,class` after a first line. */
  z.strictObject({ file: z.string().min(1) }),
  /** By the similarity of their names. */
  z.strictObject({ sentenceEncoder: z.string(), threshold: sourced(z.number().min(-1).max(1)) }),
]);

/** What stands for each name that an experiment uses: data, models and sizes. */
export const profileSchema = z.strictObject({
  name: z.string(),
  title: z.string(),
  /** Where each dataset is; a view of another dataset is where that is, unless it is named here. */
  datasets: z.record(z.string(), datasetLocation),
  /**
   * Cells of experiments that nothing here can make: those that have a named level of each factor. A
   * rule that names `measure` alone leaves out measures, of whatever cell.
   */
  exclude: z.array(z.record(z.string(), z.array(z.string()).min(1))).default([]).readonly(),
  /** Unlabelled images from which probes are chosen. */
  probePool: z.array(poolSource).min(1).readonly(),
  /** The classes of the target models: a dataset's, or the list that is shipped for it. */
  classes: z.union([
    z.strictObject({ dataset: z.string(), split: z.enum(["train", "val"]) }),
    z.strictObject({ list: z.literal("imagenet") }),
  ]),
  backbones: z.strictObject({
    /** Those that experiments are made of; all when left out. */
    names: z.array(z.string()).min(1).readonly().optional(),
    /** Which sizes of a backbone's config are built. */
    sizes: z.enum(["released", "world"]),
    /** Path of a backbone's weights; `{name}` stands for the backbone. */
    weights: z.string().includes("{name}"),
    /** What the weights' hash is compared with: the card beside them, or the released file's. */
    check: z.enum(["card", "release"]),
  }),
  /** The VL model, a name in configs/vl, that stands for each one of the paper. */
  vlModels: z.record(z.string(), z.string()),
  /** The concept that stands for one that an experiment names; others stand for themselves. */
  concepts: z.record(z.string(), z.string()).default({}),
  /**
   * The concepts on whose images values that the paper does not state were chosen: results of labelled
   * concepts report the `others`, or `these` where values are chosen. All when left out.
   */
  choice: z.strictObject({
    concepts: z.array(z.string()).min(1).readonly(),
    report: z.enum(["others", "these"]),
  }).optional(),
  pairs: pairsLocation,
  /** Images that a model sees at once; it changes memory and speed only. */
  batch: z.int().min(1).max(4096),
  /** Whether the paper's numbers stand beside the measured ones. */
  showPaper: z.boolean(),
}).readonly();

/** See {@linkcode profileSchema}. */
export type Profile = z.output<typeof profileSchema>;
