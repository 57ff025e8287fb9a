import type { Method } from "../config/mod.ts";
import { tensor } from "../tensor/mod.ts";
import type {
  ConceptVectors,
  PrepareTrainer,
  TrainerTask,
  TrainingContext,
} from "./concept_problem.ts";
import { descend } from "./_descend.ts";
import { descentOf } from "./engine.ts";
import { centreShots, requireShots, startVectors, thresholdsOf } from "./_shots.ts";

type Classifier = Method<"original_cav" | "concept_gradient">;

/**
 * The original CAV (TCAV, arXiv 1711.11279): the weight vector of a linear classifier of the
 * positives against the negatives, by gradient descent on the logistic loss. It takes as many
 * steps as a language-guided vector does, so that the methods differ in their losses only.
 */
export const originalCav: PrepareTrainer<Classifier> = (_, context) => (task) =>
  Promise.all(task.methods.map((method) => trainClassifier(task, { method, ...context })));

async function trainClassifier(
  task: TrainerTask<Classifier>,
  { method, engine, random }: TrainingContext & { readonly method: Classifier },
): Promise<ConceptVectors> {
  const { initialLength, origin, threshold } = method.hyperparameters;
  const { concept: { concept, probes }, seeds } = task;
  const shots = requireShots(task);
  const centred = centreShots(shots, origin);
  const dim = shots.features.shape[2]!;
  const { vectors, biases } = await descend(
    {
      start: startVectors(
        { seeds, dim, length: initialLength },
        random.split("start").split(concept),
      ),
      columns: 1,
      labelled: centred,
    },
    { engine, descent: descentOf(method.hyperparameters, probes.length) },
  );
  const matrix = tensor([seeds.length, dim], vectors.data);
  const { centres } = centred;
  return {
    vectors: matrix,
    thresholds: thresholdsOf(threshold, { vectors: matrix, biases: biases.data, shots, centres }),
  };
}
