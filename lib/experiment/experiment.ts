import { z } from "zod";
import { sourced } from "../config/mod.ts";
import { measureNames } from "../metrics/mod.ts";
import { dialsSchema } from "./dials.ts";

/** A level of a factor. */
const level = z.union([z.string().min(1), z.number()]);
const levels = z.array(level).min(1).refine(
  (all) => new Set(all).size === all.length,
  "names a level twice",
).readonly();

const names = z.union([z.string(), z.array(z.string()).min(1).readonly()])
  .transform((value): readonly string[] => typeof value === "string" ? [value] : value);

/**
 * The factor whose levels are compared with each other: cells that differ in nothing else. The last
 * one of the rows, or of the series, when left out.
 */
const compare = z.string().optional();

/**
 * The level of the compared factor with which those after it are compared, such as a control; each
 * with the one before it when left out.
 */
const against = level.optional();

/** A level that a reader should know among others, such as the paper's, with the word for it. */
const mark = z.strictObject({ factor: z.string(), level, as: z.string().min(1).max(20) })
  .optional();

/** How runs are shown. Every name is a factor, or `measure`; a gallery shows each cell by itself. */
const show = z.discriminatedUnion("as", [
  z.strictObject({
    as: z.literal("table"),
    rows: names,
    columns: names,
    compare,
    against,
    mark,
    statistic: z.enum(["mean", "std"]).default("mean"),
  }),
  z.strictObject({
    as: z.literal("lines"),
    x: z.string(),
    /** One line for each combination of their levels. */
    series: names,
    /** One panel for each combination of their levels. */
    panels: names,
    compare,
    against,
    mark,
    scale: z.enum(["linear", "log"]).default("linear"),
  }),
  z.strictObject({
    as: z.literal("histogram"),
    /** One histogram for each combination of their levels. */
    series: names,
    panels: names,
    bins: sourced(z.int().min(2).max(1000)),
  }),
  z.discriminatedUnion("of", [
    z.strictObject({
      as: z.literal("gallery"),
      of: z.literal("activations"),
      /** How many concepts are shown, evenly spaced in the dataset's order. */
      concepts: sourced(z.int().min(1).max(1000)),
      /** How many of the most and as many of the least activated images of each. */
      images: sourced(z.int().min(1).max(100)),
    }),
    z.strictObject({
      as: z.literal("gallery"),
      of: z.literal("corrections"),
      /** How many of the corrected images are shown at most: those whose margin grew most. */
      images: sourced(z.int().min(1).max(100)),
      /** How many of them may be of one class. */
      perClass: sourced(z.int().min(1).max(100)),
      /** Grad-CAM is taken at the last map of at least so many cells a side. */
      cells: sourced(z.int().min(1).max(1000)),
    }),
  ]),
]).readonly();

/** See {@linkcode show}. */
export type Show = z.output<typeof show>;

/** The settings that cells share and factors may sweep by their path, such as `probes.count`. */
export const settingsSchema = z.strictObject({
  /** Labelled positives of a concept, and as many negatives, that may train a CAV. */
  shots: sourced(z.int().min(1).max(100_000)),
  probes: z.strictObject({
    /** Probe images of a concept, or all of the pool. */
    count: sourced(z.union([z.int().min(2).max(10_000_000), z.literal("pool")])),
    choice: sourced(z.enum(["extreme", "random"])),
    /**
     * Whether a concept's negatives, which are images of other concepts and judge its CAV, are `left
     * out` of its probes, as they are where this is, or `kept`.
     */
    testNegatives: sourced(z.enum(["left out", "kept"])).optional(),
  }),
  /**
   * What a concept's negatives may show: images are `labelled` without it, the default, or `clean`,
   * which truly have not got it, labelled or not; only the world knows that.
   */
  negatives: sourced(z.enum(["labelled", "clean"])).optional(),
  /**
   * Images of each class of the probe pool's dataset that are kept from the probes, so that the
   * gradients of logits at an intermediate layer are taken where no CAV was trained.
   */
  heldOut: sourced(z.int().min(0).max(10_000)),
  /** What of a dataset's classes becomes a concept of each; only where the dataset has classes. */
  classConcepts: sourced(z.enum(["descriptions", "confusions"])).optional(),
  /**
   * The uncorrected last layer: that of the model's weights, the default, or one that a correction of
   * configs/corrections fits on the training split first.
   */
  lastLayer: sourced(z.string().min(1)).optional(),
  /**
   * The probability that an image of the training split has its class's preferred scene; only of
   * the world, which is rendered. The world's own config says it when left out.
   */
  sceneCorrelation: sourced(z.number().min(0).max(1)).optional(),
  /** The dataset whose concepts a concept bottleneck may consist of. */
  bottleneck: sourced(z.string().min(1)).optional(),
  /** What is made worse on purpose, to see which claims that reverses. */
  dials: dialsSchema.optional(),
  /**
   * Methods whose guidance is kept from knowing the concept: what they get stands below every table,
   * and pairs are significant that stand out from it. None when left out.
   */
  controls: sourced(z.array(z.string()).readonly()).optional(),
  /** Among the pairs that are called significant, the share that may be so by chance. */
  falseDiscoveryRate: sourced(z.number().gt(0).lt(1)).optional(),
  /**
   * In how many contexts of each factor the world intervenes to find the true directions of its
   * concepts; only where a measure asks for them.
   */
  contexts: sourced(z.int().min(2).max(10_000)).optional(),
}).readonly();

/**
 * An experiment: its factors, what is measured in each of their combinations, and how that is shown.
 * Files in experiments/ follow this schema.
 */
export const experimentSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9_]*$/),
  /** Raised whenever the numbers of the experiment may change. */
  version: z.int().positive().max(1e6),
  title: z.string().min(1),
  /** The table or figure of the paper that it reproduces; none where it is our own. */
  paper: z.string().regex(/^(Table|Figure) \d+[a-z]?$/).optional(),
  /** What was expected of it, written before it was first run; shown with the result. */
  prediction: z.string().min(1).optional(),
  /** The profile in which alone it runs, such as that in which assumed values are chosen. */
  profile: z.string().optional(),
  /** The levels of each factor; where they are a choice, with its source. */
  factors: z.record(z.string(), z.union([levels, sourced(levels)])),
  /** Combinations that are left out: a cell that has one of the named levels of every factor. */
  exclude: z.array(z.record(z.string(), levels)).default([]).readonly(),
  /**
   * Combinations, named like those of `exclude`, that are never run and shown as the paper quotes
   * them from other papers; left out where the paper's numbers are not shown.
   */
  quoted: z.array(z.record(z.string(), levels)).default([]).readonly(),
  /** Only these concepts are shown; all when left out. */
  concepts: z.array(z.string()).min(1).readonly().optional(),
  measures: z.array(z.enum(measureNames)).min(1).readonly(),
  show,
  settings: settingsSchema,
  /**
   * What is compared besides each level of the compared factor with the one before it: pairs of levels
   * of a factor, passed over where it has not both. Every contrast is pooled over the factors of `over`.
   */
  contrasts: z.strictObject({
    over: z.array(z.string()).readonly(),
    pairs: z.array(z.strictObject({ factor: z.string(), level, against: level })).readonly(),
  }).default({ over: ["backbone"], pairs: [] }).readonly(),
  statistics: z.strictObject({
    confidence: sourced(z.number().min(0.5).max(0.9999)),
    bootstrapResamples: sourced(z.int().min(1).max(1_000_000)),
    permutations: sourced(z.int().min(1).max(1_000_000)),
    seed: sourced(z.int().min(0).max(2 ** 32 - 1)),
    /** The effect of a measure, in its unit, below which it counts as none; no measure needs one. */
    margins: z.partialRecord(z.enum(measureNames), sourced(z.number().positive())).readonly(),
    /** How surely what is said to settle a contrast would do so. */
    power: sourced(z.number().min(0.5).max(0.9999)),
  }).readonly(),
}).readonly();

/** What an experiment's file says. */
export type Experiment = z.output<typeof experimentSchema>;
