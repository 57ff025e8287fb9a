import type { Method } from "../config/mod.ts";
import { dot, row, takeRows, type Tensor, tensor } from "../tensor/mod.ts";
import {
  type CavProblem,
  conceptByConcept,
  type ConceptVectors,
  type PrepareTrainer,
  type TrainerTask,
  type TrainingContext,
} from "./concept_problem.ts";
import { descend } from "./_descend.ts";
import { type Columns, descentOf } from "./engine.ts";
import { guidance, probesOf } from "./_guidance.ts";
import { thresholdsOf } from "./_shots.ts";
import { type SpliceCoder, spliceCoder } from "./splice.ts";

type LgCav = Method<"lg_cav">;

/**
 * LG-CAV, language-guided CAVs, with the parts that each method names:
 *
 *     classification loss of P_c against N_c
 *   + coefficient * mean over x in R of weight(x) (cosine(v, f(x)) - a_c(x))^2
 *
 * a_c(x) = cosine(g_text(c), g_img(x)) (Eq. 3), aligned to the target model's cosines by `ga`
 * (Eq. 4), with the ensemble's text feature by `ce`; weight(x) is 1, or by `dsr` that of Eq. 5.
 * By `splice`, a_c(x) is the weight of the concept in the image's sparse code instead.
 * Without positives and negatives the first term is left out. The methods and seeds of a concept
 * are the columns of one matrix, so the methods of a task must agree in how gradient descent runs.
 */
export const lgCav: PrepareTrainer<LgCav> = (problem, context) => {
  const splice = spliceCoder(problem, context.engine);
  return conceptByConcept((task) => trainGuided(problem, task, { ...context, splice }));
};

async function trainGuided(
  problem: CavProblem,
  task: TrainerTask<LgCav>,
  { engine, random, splice }: TrainingContext & { readonly splice: SpliceCoder },
): Promise<ConceptVectors[]> {
  const { concept, methods, seeds, shots } = task;
  const { hyperparameters } = methods[0]!;
  const centred = shots && task.centred(hyperparameters.origin);
  // One order of the probes for all epochs: it decides which of them share a minibatch.
  const order = random.split("probes").split(concept.concept).shuffle([...concept.probes]);
  const probes = await probesOf(problem, order, { engine, shots });
  const [images = 0, dim = 0] = probes.unit.shape;
  const columns = await descend(
    {
      start: task.start(hyperparameters.initialLength),
      columns: methods.length,
      labelled: centred,
      probes: {
        features: tensor([1, images, dim], probes.unit.data),
        ...await guidance(task, { engine, probes, splice }),
      },
    },
    { engine, descent: descentOf(hyperparameters, images), probeGram: probes.gram },
  );
  return methods.map(({ hyperparameters: { threshold } }, method) => {
    const vectors = columnOf(columns, method);
    if (!shots || !centred) {
      // Without labels: the mean score of the probes, half of which language puts above it.
      return { vectors, thresholds: seeds.map((_, seed) => dot(row(vectors, seed), probes.mean!)) };
    }
    const biases = seeds.map((_, seed) => columns.biases.data[seed * methods.length + method]!);
    const thresholds = thresholdsOf(threshold, { ...centred, vectors, biases, shots });
    return { vectors, thresholds };
  });
}

/** The vectors of one column in each group: [groups, dim]. */
function columnOf({ vectors }: Columns, column: number): Tensor {
  const [groups = 0, columns = 0, dim = 0] = vectors.shape;
  const all = tensor([groups * columns, dim], vectors.data);
  return takeRows(all, Array.from({ length: groups }, (_, group) => group * columns + column));
}
