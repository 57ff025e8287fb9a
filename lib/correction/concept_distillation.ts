import type { Correction } from "../config/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { Objective } from "./_objective.ts";

/**
 * Concept Distillation (NeurIPS 2023, arXiv 2311.15303): the gradient of a class's logit is pulled
 * towards the CAV of its concept. At the last layer that gradient is row k of the weight whatever the
 * image, so the loss gains coefficient * mean over classes with a CAV of (1 - cosine(W_k, v_k)).
 */
export function conceptDistillation(
  { hyperparameters }: Correction<"concept_distillation">,
  cavs: Tensor,
): Objective {
  return {
    pull: { directions: cavs, coefficient: hyperparameters.coefficient },
    settings: hyperparameters,
    diagnostics: { effectiveSampleSize: 1 },
  };
}
