import type { FeatureRows } from "../activations/mod.ts";
import type { RunnableCorrection } from "../config/mod.ts";
import type { LastLayer } from "../models/mod.ts";
import type { Device } from "../onnx/mod.ts";
import type { Random, Tensor } from "../tensor/mod.ts";

/** What the VL model sees of the training images, and texts to compare it with. */
export interface LanguageView {
  /** [images, width] */
  readonly images: FeatureRows;
  /** [texts, width] */
  readonly texts: Tensor;
}

/** A classifier whose last layer is corrected, and what its training images tell. */
export interface CorrectionProblem {
  /** What the last layer sees of the training images, [images, dim]; read in blocks. */
  readonly features: FeatureRows;
  /** The class of each image, [images]. */
  readonly labels: Int32Array;
  /** The uncorrected layer: weight [classes, dim], bias [classes]. */
  readonly lastLayer: LastLayer;
  /** A text of each class, in the order of the classes, for knowledge distillation. */
  readonly zeroShot?: LanguageView | undefined;
  /** The group of each image, numbered from 0, for group-balanced retraining. */
  readonly groups?: Int32Array | undefined;
  /** A text of each concept that a bottleneck may consist of, for Label-free CBM. */
  readonly concepts?: LanguageView | undefined;
}

/** A layer to be made. */
export interface CorrectionRequest {
  readonly correction: RunnableCorrection;
  /** Decides the order of the images, and where a concept layer starts. */
  readonly seed: number;
  /** The CAV of the concept of each class, [classes, dim]; a class without one has a zero row. */
  readonly cavs?: Tensor | undefined;
  /** CAVs of what the classifier should not use, such as scenes, [artefacts, dim]. */
  readonly artefacts?: Tensor | undefined;
}

/**
 * What is known of a correction besides its layer; which numbers there are depends on the method.
 *
 * - `trainingLossBefore`, `trainingLossAfter`: the loss that is minimised, over all images, at the
 *   layer that descent starts from and at the corrected one.
 * - `effectiveSampleSize`: the images that would tell as much with equal weights, as a share of the
 *   images: per class (sum of w)^2 / sum of w^2 / images, then the mean over classes.
 * - `greatestWeightRatio`: the largest weight over the least within a class; of the classes, the
 *   largest.
 * - `weightChange`: the mean of |w - 1|, weights having mean 1.
 * - `cosineRange`: largest minus least cosine within a class; of the classes, the largest.
 * - `largestPossibleChange`: the bound on `weightChange` that follows from the cosines' ranges
 *   alone; see {@linkcode largestPossibleChange}.
 * - `artefacts`: the dimensions that are projected out.
 * - `concepts`: the concepts of a bottleneck; `conceptSimilarity`: their mean similarity to the VL
 *   model on held-out images; `conceptSteps`: steps of the concept layer; `nonZeroShare`: of the
 *   sparse layer's weights; `sparseEpochs`: passes of its solver.
 */
export type Diagnostic =
  | "trainingLossBefore"
  | "trainingLossAfter"
  | "effectiveSampleSize"
  | "greatestWeightRatio"
  | "weightChange"
  | "cosineRange"
  | "largestPossibleChange"
  | "artefacts"
  | "concepts"
  | "conceptSimilarity"
  | "conceptSteps"
  | "nonZeroShare"
  | "sparseEpochs";

/** A last layer that takes the place of the uncorrected one, with what is known of its making. */
export interface CorrectedLayer extends LastLayer {
  readonly request: CorrectionRequest;
  readonly diagnostics: Readonly<Partial<Record<Diagnostic, number>>>;
}

/** What making layers takes beside the problem. */
export interface CorrectionOptions {
  /** Streams are split off by name and seed, so a layer does not depend on the others. */
  readonly random: Random;
  /** onnxruntime's execution provider; `cpu` when left out. */
  readonly device?: Device | undefined;
  /** Stops between runs of a few steps; the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Tells how much is done, in passes over the images by one request. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}
