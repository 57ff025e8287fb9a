import type { Correction } from "../config/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { Objective } from "./_objective.ts";

/**
 * RR-ClArC (arXiv 2308.09437): the last layer is retrained, and the derivative of the logits along the
 * CAV a of an artefact is penalised: the loss gains the square of m . W a for random signs m of the
 * classes, |a| = 1. Its expectation over the signs is the sum over classes of (W_k . a)^2, which is
 * taken instead; of several artefacts, the mean.
 */
export function cavGradientPenalty(
  { hyperparameters }: Correction<"cav_gradient_penalty">,
  artefacts: Tensor,
): Objective {
  return {
    penalty: { directions: artefacts, coefficient: hyperparameters.coefficient },
    settings: hyperparameters,
    diagnostics: { effectiveSampleSize: 1 },
  };
}
