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

/** Factor of |v|^2 beside the loss, on features of mean squared length 1. */
const penalty = sourced(upTo(1e6));

const named = { id: z.string(), title: z.string() };
const noParts = z.tuple([]).readonly();
const classifier = {
  ...named,
  parts: noParts,
  hyperparameters: z.strictObject(descent).readonly(),
};

const penalised = {
  ...named,
  parts: noParts,
  hyperparameters: z.strictObject({ penalty }).readonly(),
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
    parts: z.array(z.enum(["ga", "ce", "dsr", "splice"])).readonly(),
    /**
     * Where the probes' targets come from, where it is not the concept's words. Those of a control know
     * nothing of the concept: they are of random words, or shuffled among the probes.
     */
    guidance: z.enum(["random words", "shuffled activations"]).optional(),
    hyperparameters: z.strictObject({
      ...descent,
      /** Factor of the language-guided loss beside the classification loss (Figure 6). */
      coefficient: sourced(atLeastZero(1e6)),
      /** The pairs of probes that give mu_target and sigma_target (Eq. 4). */
      alignmentPairs: sourced(z.enum(["all ordered pairs", "distinct pairs"])),
      /** Whether each prompt's text feature has unit length before the ensemble is averaged. */
      normaliseText: sourced(z.boolean()),
      /** What of the probes' distribution the activations are aligned in by `ga` (Eq. 4). */
      alignment: sourced(z.enum(["mean and deviation", "mean", "deviation", "neither"])).optional(),
      /** How deviations become weights by `dsr`: by Eq. 5, or "none" for equal weights. */
      dsrNormalisation: sourced(
        z.enum(["softmax", "linear", "rank", "inverse deviation", "none"]),
      ).optional(),
      /** What the softmax divides the deviations by. */
      dsrTemperature: sourced(upTo(1e6)).optional(),
      /** Factor of the sum of the weights in the sparse code of an image, by `splice`. */
      splicePenalty: sourced(upTo(1e6)).optional(),
    }).readonly(),
  }).readonly(),
  z.strictObject({
    ...named,
    base: z.literal("mean_difference"),
    parts: noParts,
    hyperparameters: z.strictObject({ threshold: sourced(z.literal("midpoint")) }).readonly(),
  }).readonly(),
  z.strictObject({
    ...named,
    base: z.literal("fast_cav"),
    parts: noParts,
    hyperparameters: z.strictObject({}).readonly(),
  }).readonly(),
  z.strictObject({ ...penalised, base: z.literal("ridge_cav") }).readonly(),
  z.strictObject({ ...penalised, base: z.literal("svm_cav") }).readonly(),
  z.strictObject({ ...penalised, base: z.literal("logistic_cav") }).readonly(),
]);

/**
 * Hyper-parameters of a base that only vary what the paper prints, at their printed values. A method
 * has them when it leaves them out, and may be swept over them; at the printed value it is the method
 * that leaves them out.
 */
export const printedHyperparameters = {
  lg_cav: {
    alignment: { value: "mean and deviation", source: "paper Equation 4" },
    dsrNormalisation: { value: "softmax", source: "paper Equation 5" },
    dsrTemperature: { value: 1, source: "paper Equation 5" },
  },
} as const;

/** A method of training concept activation vectors, as read from configs/methods. */
export type MethodConfig = z.output<typeof methodSchema>;

/** The methods of one base, with bare hyper-parameters. */
export type Method<Base extends MethodConfig["base"] = MethodConfig["base"]> = Extract<
  Plain<MethodConfig>,
  { readonly base: Base }
>;

/**
 * Whether a method looks at labelled images where there are some. A control of language does not:
 * they show the concept.
 */
export function takesLabels(method: Method): boolean {
  return controlledGuidance(method) === undefined;
}

/** How the guidance of a control is kept from knowing the concept. */
export function controlledGuidance(method: Method) {
  return method.base === "lg_cav" ? method.guidance : undefined;
}

/** How gradient descent runs, as far as methods may differ in it. */
export type Schedule = Omit<Method<"original_cav">["hyperparameters"], "threshold" | "origin">;

/** The hyper-parameters that may be left out, at their printed values where they are. */
export function asPrinted({ hyperparameters }: Method<"lg_cav">) {
  const { alignment, dsrNormalisation, dsrTemperature } = hyperparameters;
  const printed = printedHyperparameters.lg_cav;
  return {
    alignment: alignment ?? printed.alignment.value,
    dsrNormalisation: dsrNormalisation ?? printed.dsrNormalisation.value,
    dsrTemperature: dsrTemperature ?? printed.dsrTemperature.value,
  };
}
