import type { Method } from "../config/mod.ts";
import { dot, row, takeRows, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import {
  type CavProblem,
  conceptByConcept,
  type ConceptVectors,
  type PrepareTrainer,
  type TrainerTask,
  type TrainingContext,
} from "./concept_problem.ts";
import { descend } from "./_descend.ts";
import { type Columns, descentOf, type ProbeImages } from "./engine.ts";
import { guidance, type Probes, probesOf } from "./_guidance.ts";
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
 * Without positives and negatives the first term is left out. A control's a_c(x) know nothing of
 * the concept: they are of random words, which the problem then has as its text, or of other probes.
 * Minibatches of probes come in an order of the seed. The methods of a concept and seed are the
 * columns of one matrix, so the methods of a task must agree in how gradient descent runs.
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
  const start = task.start(hyperparameters.initialLength);
  const probes = await probesOf(problem, [...concept.probes], { engine, shots });
  const guided = await guidance(task, { engine, probes, random, splice });
  const descent = descentOf(hyperparameters, concept.probes.length);
  const orders = random.split("probes").split(concept.concept);
  const ofSeeds: Columns[] = [];
  for (const [i, seed] of seeds.entries()) {
    // One order of the probes for all epochs: it decides which of them share a minibatch.
    const order = orders.split(seed).shuffle([...concept.probes.keys()]);
    const { probeGram, ...ordered } = inOrder(order, { probes, guided, seed: i });
    ofSeeds.push(
      await descend({
        start: groupOf(start, i),
        columns: methods.length,
        labelled: centred &&
          { features: groupOf(centred.features, i), labels: groupOf(centred.labels, i) },
        probes: ordered,
      }, { engine, descent, probeGram }),
    );
  }
  return methods.map(({ hyperparameters: { threshold } }, method) => {
    const vectors = columnOf(ofSeeds, method);
    if (!shots || !centred) {
      // Without labels: the mean score of the probes, half of which language puts above it.
      return { vectors, thresholds: seeds.map((_, seed) => dot(row(vectors, seed), probes.mean!)) };
    }
    const biases = ofSeeds.map(({ biases }) => biases.data[method]!);
    const thresholds = thresholdsOf(threshold, { ...centred, vectors, biases, shots });
    return { vectors, thresholds };
  });
}

/** The probes in the order of one seed's minibatches, with what is asked of its columns. */
function inOrder(
  order: readonly number[],
  { probes: { unit, gram }, guided, seed }: {
    readonly probes: Probes;
    readonly guided: Pick<ProbeImages, "targets" | "weights">;
    readonly seed: number;
  },
): ProbeImages & { readonly probeGram: Tensor | undefined } {
  const [images = 0, dim = 0] = unit.shape;
  return {
    features: tensor([1, images, dim], takeRows(unit, order).data),
    targets: takeColumns(groupOf(guided.targets, seed), order),
    weights: takeColumns(groupOf(guided.weights, seed), order),
    probeGram: gram && takeColumns(takeRows(gram, order), order),
  };
}

/** The columns of a matrix, or of matrices, in another order. */
function takeColumns({ shape, data }: Tensor, order: readonly number[]): Tensor {
  const width = order.length;
  const taken = new Float32Array(data.length);
  for (let at = 0; at < data.length; at += width) {
    for (let i = 0; i < width; i++) taken[at + i] = data[at + order[i]!]!;
  }
  return tensor(shape, taken);
}

/** The part of one group, which stays a group. */
function groupOf(all: Tensor, group: number): Tensor {
  return tensor([1, ...all.shape.slice(1)], row(all, group));
}

/** The vectors of one column of each seed's only group: [seeds, dim]. */
function columnOf(ofSeeds: readonly Columns[], column: number): Tensor {
  const dim = ofSeeds[0]!.vectors.shape[2]!;
  const all = zeros([ofSeeds.length, dim]);
  ofSeeds.forEach(({ vectors: { data } }, seed) =>
    row(all, seed).set(data.subarray(column * dim, (column + 1) * dim))
  );
  return all;
}
