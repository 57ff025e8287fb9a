import type { Method } from "../config/mod.ts";
import { startVectors } from "./_shots.ts";
import { conceptByConcept, type PrepareTrainer } from "./concept_problem.ts";

/**
 * Directions drawn at random, uniform on the unit sphere, by concept and seed: what a measure gives
 * without any training (Table 5).
 */
export const randomCav: PrepareTrainer<Method<"random_cav">> = (problem, { random }) =>
  conceptByConcept(({ concept: { concept }, methods, seeds }) => {
    const vectors = startVectors(
      { seeds, dim: problem.features.shape[1], length: 1 },
      random.split("random CAV").split(concept),
    );
    const thresholds = seeds.map(() => 0);
    return Promise.resolve(methods.map(() => ({ vectors, thresholds })));
  });
