import type { Correction } from "../config/mod.ts";
import type { Objective } from "./_objective.ts";

/**
 * The control of every retraining: the last layer is trained on, as long and in the same order of
 * images, with the plain cross-entropy. What a correction gains beyond it, the correction gained.
 */
export function uniformRetraining(
  { hyperparameters }: Correction<"uniform_retraining">,
): Objective {
  return { settings: hyperparameters, diagnostics: { effectiveSampleSize: 1 } };
}
