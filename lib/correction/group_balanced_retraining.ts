import type { Correction } from "../config/mod.ts";
import { weightDiagnostics } from "./image_weights.ts";
import type { Objective } from "./_objective.ts";

/**
 * DFR, deep feature reweighting (arXiv 2204.02937), of the training split: the last layer is retrained
 * so that every group counts alike, with an L1 penalty. The source refits it on subsets of equal
 * groups and averages; here an image of a group of n weighs images / (groups n), which is what these
 * subsets weigh on average, so that no image is left out and no step less is taken than by the
 * control.
 *
 * @param groups the group of each image, from 0 on.
 */
export function groupBalancedRetraining(
  { hyperparameters }: Correction<"group_balanced_retraining">,
  { groups, labels }: { readonly groups: Int32Array; readonly labels: Int32Array },
): Objective {
  const weights = groupWeights(groups);
  return {
    weights,
    l1: hyperparameters.l1,
    settings: hyperparameters,
    diagnostics: weightDiagnostics(weights, labels),
  };
}

/** images / (groups n) for each image of a group of n; mean 1. */
export function groupWeights(groups: Int32Array): Float32Array {
  const sizes = groupSizes(groups);
  return Float32Array.from(groups, (group) => groups.length / (sizes.length * sizes[group]!));
}

/** The number of images of each group, from group 0 to the last one named. */
export function groupSizes(groups: Int32Array): number[] {
  const sizes: number[] = [];
  for (const group of groups) sizes[group] = (sizes[group] ?? 0) + 1;
  return Array.from(sizes, (size) => size ?? 0);
}
