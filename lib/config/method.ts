import { z } from "zod";
import { atLeastZero, count, share, upTo } from "./_bounds.ts";
import { type Plain, sourced } from "./sourced.ts";

const descent = {
  learningRate: sourced(upTo(1e3)),
  epochs: sourced(count(1e5)),
  /** Probe images per step, at most; the labelled images take part in every step. */
  batchSize: sourced(count(1e7)),
  momentum: sourced(z.number().min(0).lt(1)),
  weightDecay: sourced(atLeastZero(1e3)),
  /** Euclidean length of the random vector that training starts from. */
  initialLength: sourced(upTo(1e6)),
  /** From where the classifier's features, and so its bias, are counted. */
  origin: sourced(z.enum(["mean of the labelled images", "zero"])),
  /** Where a score splits positives from negatives. */
  threshold: sourced(z.enum(["trained bias", "midpoint"])),
};

/**
 * Which images of the pool may be looked at without their labels: those that `never judge` what is
 * made of them, or those that `may judge` it too.
 */
const unlabelled = sourced(z.enum(["never judge", "may judge"]));

const named = { id: z.string(), title: z.string() };
const noParts = z.tuple([]).readonly();
const classifier = {
  ...named,
  parts: noParts,
  hyperparameters: z.strictObject(descent).readonly(),
};

/** A method of training concept activation vectors, with all of its hyper-parameters. */
export const methodSchema = z.discriminatedUnion("base", [
  z.strictObject({ ...classifier, base: z.literal("original_cav") }).readonly(),
  z.strictObject({ ...classifier, base: z.literal("concept_gradient") }).readonly(),
  z.strictObject({
    ...named,
    base: z.literal("random_cav"),
    parts: noParts,
    hyperparameters: z.strictObject({}).readonly(),
  }).readonly(),
  z.strictObject({
    ...named,
    base: z.literal("oa_tcav"),
    parts: noParts,
    hyperparameters: z.strictObject({
      ...descent,
      /** How far positives are moved, as a share of the mean length of the labelled features. */
      perturbation: sourced(share),
      /** Classifiers that are averaged, each with its own random negatives. */
      draws: sourced(count(1000)),
      unlabelled,
    }).readonly(),
  }).readonly(),
  z.strictObject({
    ...named,
    base: z.literal("text_to_concept"),
    parts: noParts,
    hyperparameters: z.strictObject({
      /** Which model's features the linear map carries into the other's space. */
      map: sourced(z.enum(["target to VL", "VL to target"])),
      /** Penalty of the map, as a share of the mean variance of a feature that it carries. */
      ridge: sourced(upTo(1e6)),
      /** Unlabelled images that the map is fitted on, at most; drawn by the seed. */
      images: sourced(count(1e7)),
      text: sourced(z.enum(["prompt", "ensemble"])),
      threshold: sourced(z.literal("midpoint")),
      unlabelled,
    }).readonly(),
  }).readonly(),
  z.strictObject({
    ...named,
    base: z.literal("lg_cav"),
    parts: z.array(z.enum(["ga", "ce", "dsr"])).readonly(),
    hyperparameters: z.strictObject({
      ...descent,
      /** Factor of the language-guided loss beside the classification loss (Figure 6). */
      coefficient: sourced(atLeastZero(1e6)),
      /** The pairs of probes that give mu_target and sigma_target (Eq. 4). */
      alignmentPairs: sourced(z.enum(["all ordered pairs", "distinct pairs"])),
      /** Whether each prompt's text feature has unit length before the ensemble is averaged. */
      normaliseText: sourced(z.boolean()),
    }).readonly(),
  }).readonly(),
]);

/** A method of training concept activation vectors, as read from configs/methods. */
export type MethodConfig = z.output<typeof methodSchema>;

/** The methods of one base, with bare hyper-parameters. */
export type Method<Base extends MethodConfig["base"] = MethodConfig["base"]> = Extract<
  Plain<MethodConfig>,
  { readonly base: Base }
>;

/** How gradient descent runs, as far as methods may differ in it. */
export type Schedule = Omit<Method<"original_cav">["hyperparameters"], "threshold" | "origin">;
