import { z } from "zod";
import { atLeastZero, count, share, upTo } from "./_bounds.ts";
import { type Plain, sourced } from "./sourced.ts";

const descent = {
  learningRate: sourced(upTo(1e3)),
  epochs: sourced(count(1e5)),
  /** Images per step, at most. */
  batchSize: sourced(count(1e7)),
  momentum: sourced(z.number().min(0).lt(1)),
  weightDecay: sourced(atLeastZero(1e3)),
  /** The layer that descent starts from. */
  start: sourced(z.enum(["uncorrected layer", "zero"])),
};

const named = { id: z.string(), title: z.string() };
/** The method of configs/methods that trains the CAVs. */
const byCavs = { ...named, cavMethod: z.string() };
const nothing = z.strictObject({}).readonly();

/** A way to correct a classifier's last layer, with all of its hyper-parameters. */
export const correctionSchema = z.discriminatedUnion("base", [
  z.strictObject({ ...named, base: z.literal("original"), hyperparameters: nothing }).readonly(),
  z.strictObject({
    ...named,
    base: z.literal("uniform_retraining"),
    hyperparameters: z.strictObject(descent).readonly(),
  }).readonly(),
  z.strictObject({
    ...byCavs,
    base: z.literal("asr"),
    hyperparameters: z.strictObject({
      ...descent,
      /** What divides the cosines before the softmax (Eq. 7). */
      temperature: sourced(upTo(1e6)),
    }).readonly(),
  }).readonly(),
  z.strictObject({
    ...named,
    base: z.literal("knowledge_distillation"),
    hyperparameters: z.strictObject({
      ...descent,
      /** What divides the logits of both models before the softmax. */
      temperature: sourced(upTo(1e6)),
      /** What multiplies the VL model's cosines to make them logits. */
      logitScale: sourced(upTo(1e6)),
      /** The share of the VL model's answer in the loss; the label has the rest. */
      teacherShare: sourced(share),
    }).readonly(),
  }).readonly(),
  z.strictObject({
    ...byCavs,
    base: z.literal("concept_distillation"),
    hyperparameters: z.strictObject({
      ...descent,
      /** Factor of the mean cosine distance between gradients and CAVs. */
      coefficient: sourced(atLeastZero(1e6)),
    }).readonly(),
  }).readonly(),
  z.strictObject({
    ...named,
    base: z.literal("group_balanced_retraining"),
    hyperparameters: z.strictObject({
      ...descent,
      /** Factor of the sum of the weights' absolute values. */
      l1: sourced(atLeastZero(1e6)),
    }).readonly(),
  }).readonly(),
  z.strictObject({
    ...byCavs,
    base: z.literal("cav_projection"),
    hyperparameters: nothing,
  }).readonly(),
  z.strictObject({
    ...byCavs,
    base: z.literal("cav_gradient_penalty"),
    hyperparameters: z.strictObject({
      ...descent,
      /** Factor of the squared derivatives of the logits along the artefacts' CAVs. */
      coefficient: sourced(atLeastZero(1e6)),
    }).readonly(),
  }).readonly(),
  z.strictObject({
    ...named,
    base: z.literal("label_free_cbm"),
    hyperparameters: z.strictObject({
      /** Of Adam, which trains the concept layer. */
      learningRate: sourced(upTo(1e3)),
      /** Steps of the concept layer, at most. */
      steps: sourced(count(1e5)),
      /** Images per step of the concept layer, at most. */
      batchSize: sourced(count(1e7)),
      /** Steps between looks at the held-out images. */
      patience: sourced(count(1e5)),
      /** Share of the training images that judge the concept layer. */
      heldOut: sourced(z.number().positive().max(0.5)),
      /** Concepts go whose mean over the five highest cosines of the VL model is not above this. */
      activationCutoff: sourced(z.number().min(-1).max(1)),
      /** Concepts go whose similarity on the held-out images is not above this. */
      similarityCutoff: sourced(z.number().min(-1).max(1)),
      /** Factor of the elastic net of the sparse layer. */
      penalty: sourced(upTo(1e3)),
      /** The elastic net's share of absolute values; squares have the rest. */
      l1Share: sourced(share),
      /** Of SAGA, which trains the sparse layer. */
      sagaStepSize: sourced(upTo(1e3)),
      /** Images per step of SAGA, at most. */
      sagaBatchSize: sourced(count(1e7)),
      /** Passes of SAGA over the images, at most. */
      sagaEpochs: sourced(count(1e5)),
      /** Steps of SAGA, at most; it ends with the epoch that reaches them. */
      sagaSteps: sourced(count(1e9)),
      /** SAGA ends when a step moves the layer by no more than this. */
      sagaTolerance: sourced(atLeastZero(1)),
    }).readonly(),
  }).readonly(),
  /** A row of the paper's tables that is shown and never run. */
  z.strictObject({ ...named, base: z.literal("quoted") }).readonly(),
]);

/** A correction, as read from configs/corrections. */
export type CorrectionConfig = z.output<typeof correctionSchema>;

/** The corrections of one base, with bare hyper-parameters. */
export type Correction<Base extends CorrectionConfig["base"] = CorrectionConfig["base"]> = Extract<
  Plain<CorrectionConfig>,
  { readonly base: Base }
>;

/** The corrections that can be run. */
export type RunnableCorrection = Exclude<Correction, { readonly base: "quoted" }>;
