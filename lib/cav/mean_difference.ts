import type { Method } from "../config/mod.ts";
import { row, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import { conceptByConcept, type PrepareTrainer } from "./concept_problem.ts";
import { midpoint, requireShots } from "./_shots.ts";

/**
 * Mean difference, the signal pattern CAV (arXiv 2202.03482): cov(f(x), label) / var(label) of the
 * labelled images, which for labels 1 and 0 is the mean of the positives minus that of the
 * negatives. Unlike a classifier's weights, it does not turn away from what the concept has in
 * common with distractors.
 */
export const meanDifference: PrepareTrainer<Method<"mean_difference">> = () =>
  conceptByConcept((task) => {
    const shots = requireShots(task);
    const vectors = weighedSums(shots.features, (seed) => patternWeights(row(shots.labels, seed)));
    const thresholds = task.seeds.map((_, seed) => midpoint(row(vectors, seed), { shots, seed }));
    return Promise.resolve(task.methods.map(() => ({ vectors, thresholds })));
  });

/** (label - mean) / (images var(label)): the weight of each image in cov(f(x), label) / var(label). */
function patternWeights(labels: Float32Array): Float64Array {
  const images = labels.length;
  const mean = labels.reduce((sum, label) => sum + label, 0) / images;
  return Float64Array.from(labels, (label) => (label - mean) / (images * mean * (1 - mean)));
}

/**
 * A weighed sum of the images of each seed, accumulated in float64: [seeds, dim].
 *
 * @param features [seeds, images, dim]
 * @param weightsOf the weight of each image of a seed
 */
export function weighedSums(
  features: Tensor,
  weightsOf: (seed: number) => Float64Array,
): Tensor {
  const [seeds = 0, images = 0, dim = 0] = features.shape;
  const sums = zeros([seeds, dim]);
  for (let seed = 0; seed < seeds; seed++) {
    const ofSeed = tensor([images, dim], row(features, seed));
    const sum = new Float64Array(dim);
    weightsOf(seed).forEach((weight, image) => {
      const x = row(ofSeed, image);
      for (let j = 0; j < dim; j++) sum[j]! += weight * x[j]!;
    });
    row(sums, seed).set(sum);
  }
  return sums;
}
