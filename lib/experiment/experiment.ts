import { z } from "zod";
import { sourced } from "./sourced.ts";

/** The three metrics of the concept tables. */
export const conceptMetrics = [
  "concept_accuracy",
  "concept_to_class_accuracy",
  "tcav_score",
] as const;
export type ConceptMetric = (typeof conceptMetrics)[number];

/**
 * One table of the paper: CAV methods trained on the concepts of a dataset and measured on several
 * backbones. Files in experiments/ follow this schema.
 */
export const experimentSchema = z.strictObject({
  id: z.string().regex(/^(table|figure)\d+[a-z]?$/),
  /** Raised whenever the numbers of the experiment may change. */
  version: z.int().positive(),
  title: z.string(),
  metric: z.enum(conceptMetrics),
  dataset: z.literal("broden"),
  /** Unlabelled images from which each concept's probes are chosen, besides the dataset's own. */
  probePool: z.strictObject({
    dataset: z.literal("imagenet"),
    split: sourced(z.enum(["train", "val"])),
  }),
  backbones: z.array(z.string()).min(1).readonly(),
  /** The rows of the table, in its order. */
  rows: z.array(z.string()).min(1).readonly(),
  /** The methods that train together; the rows are some of them. */
  methods: z.array(z.string()).min(1).readonly(),
  seeds: sourced(z.array(z.int().nonnegative()).min(1).readonly()),
  shots: z.strictObject({
    positives: sourced(z.int().positive()),
    negatives: sourced(z.int().positive()),
  }),
  probes: z.strictObject({
    count: sourced(z.int().positive()),
    choice: sourced(z.enum(["extreme", "random"])),
  }),
  statistics: z.strictObject({
    confidence: sourced(z.number().gt(0).lt(1)),
    bootstrapResamples: sourced(z.int().positive()),
    permutations: sourced(z.int().positive()),
    seed: sourced(z.int().nonnegative()),
  }),
}).refine((experiment) => experiment.rows.every((row) => experiment.methods.includes(row)), {
  path: ["rows"],
  message: "every row must be one of methods",
}).readonly();

export type Experiment = z.output<typeof experimentSchema>;
