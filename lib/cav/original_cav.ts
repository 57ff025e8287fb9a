import type { Method } from "../config/mod.ts";
import { row, zeros } from "../tensor/mod.ts";
import { methodByMethod, type PrepareTrainer, type TrainerTask } from "./concept_problem.ts";
import { type LabelledGroups, trainLabelled } from "./_labelled_groups.ts";
import { requireShots, thresholdsOf } from "./_shots.ts";

type Classifier = Method<"original_cav" | "concept_gradient">;

/**
 * The original CAV (TCAV, arXiv 1711.11279): the weight vector of a linear classifier of the
 * positives against the negatives, by gradient descent on the logistic loss. It takes as many
 * steps as a language-guided vector does, so that the methods differ in their losses only.
 */
export const originalCav: PrepareTrainer<Classifier> = (_, { engine }) =>
  methodByMethod(async (tasks, method) => {
    const { origin, threshold } = method.hyperparameters;
    const trained = await trainLabelled(
      tasks.map((task) => () => Promise.resolve(imagesOf(task, method))),
      { engine, schedule: method.hyperparameters },
    );
    return trained.map(({ vectors, biases }, i) => {
      const shots = requireShots(tasks[i]!);
      const { centres } = tasks[i]!.centred(origin);
      return { vectors, thresholds: thresholdsOf(threshold, { vectors, biases, shots, centres }) };
    });
  });

/** One group for each seed. */
function imagesOf(
  task: TrainerTask<Classifier>,
  { hyperparameters: { initialLength, origin } }: Classifier,
): LabelledGroups {
  requireShots(task);
  const { features, labels } = task.centred(origin);
  const start = task.start(initialLength);
  const [seeds = 0, images = 0, dim = 0] = features.shape;
  const own = zeros([seeds, images + 1, dim]);
  for (let seed = 0; seed < seeds; seed++) {
    row(own, seed).set(row(features, seed));
    row(own, seed).set(row(start, seed), images * dim);
  }
  return { own, labels, averaged: 1, probes: task.concept.probes.length };
}
