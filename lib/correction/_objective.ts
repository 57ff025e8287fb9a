import type { Correction } from "../config/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { CorrectedLayer, LanguageView } from "./correction_problem.ts";

/** How gradient descent runs. */
export type DescentSettings = Correction<"uniform_retraining">["hyperparameters"];

/**
 * What retraining minimises over the weight W and the bias b of a last layer, the sum of the terms
 * that are there:
 *
 *     mean over images x of weight(x) ((1 - share) CE(y(x), softmax(z)) + share T^2 CE(p(x), softmax(z / T)))
 *   + pull coefficient * mean over classes with a CAV of (1 - cosine(W_k, v_k))
 *   + penalty coefficient * mean over artefacts a of the sum over classes of (W_k . a)^2, |a| = 1
 *   + l1 sum |W|
 *
 * with z = W f(x) + b, p(x) = softmax(logitScale cosine(texts, image) / T), CE the cross-entropy.
 */
export interface Objective {
  /** The weight of each image, [images], mean 1; all 1 when left out. */
  readonly weights?: Float32Array | undefined;
  /** Soft targets; without them share is 0. */
  readonly teacher?: Teacher | undefined;
  readonly pull?: DirectionTerm | undefined;
  readonly penalty?: DirectionTerm | undefined;
  readonly l1?: number | undefined;
  readonly settings: DescentSettings;
  readonly diagnostics: CorrectedLayer["diagnostics"];
}

/** The VL model as a teacher. */
export interface Teacher {
  readonly view: LanguageView;
  readonly logitScale: number;
  readonly temperature: number;
  readonly share: number;
}

/** A term that compares the rows of W with directions, [directions, dim]. */
export interface DirectionTerm {
  readonly directions: Tensor;
  readonly coefficient: number;
}
