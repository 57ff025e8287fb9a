import type { Method } from "../config/mod.ts";
import { dot, norm, row } from "../tensor/mod.ts";
import { conceptByConcept, type PrepareTrainer } from "./concept_problem.ts";
import { weighedSums } from "./mean_difference.ts";
import { requireShots } from "./_shots.ts";

/**
 * FastCAV (arXiv 2505.17883): from the mean of all labelled images to that of the positives, with
 * unit length; the plane through the mean of all splits them. With as many negatives as positives it
 * is the direction and the threshold of the mean difference.
 */
export const fastCav: PrepareTrainer<Method<"fast_cav">> = () =>
  conceptByConcept((task) => {
    const { features, labels } = requireShots(task);
    const [, images = 0] = labels.shape;
    const means = weighedSums(features, () => new Float64Array(images).fill(1 / images));
    const vectors = weighedSums(features, (seed) => {
      const ofSeed = row(labels, seed);
      const positives = ofSeed.reduce((sum, label) => sum + label, 0);
      return Float64Array.from(ofSeed, (label) => label / positives - 1 / images);
    });
    const thresholds = task.seeds.map((_, seed) => {
      const vector = row(vectors, seed);
      const length = norm(vector);
      // Positives that have the mean of all point nowhere.
      if (length > 0) { for (let j = 0; j < vector.length; j++) vector[j]! /= length; }
      return dot(vector, row(means, seed));
    });
    return Promise.resolve(task.methods.map(() => ({ vectors, thresholds })));
  });
