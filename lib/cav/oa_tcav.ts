import type { Method } from "../config/mod.ts";
import { norm, type Random, row, takeRows, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import type {
  CavProblem,
  ConceptVectors,
  PrepareTrainer,
  TrainerTask,
  TrainingContext,
} from "./concept_problem.ts";
import { descend } from "./_descend.ts";
import { descentOf } from "./engine.ts";
import { centreRows } from "./_centre_rows.ts";
import { unlabelledImages } from "./_unlabelled_images.ts";
import {
  type CentredShots,
  centreShots,
  requireShots,
  type Shots,
  startVectors,
  thresholdsOf,
} from "./_shots.ts";

type OaTcav = Method<"oa_tcav">;

/**
 * OA-TCAV, orthogonal adversarial CAV (arXiv 2002.03549). Adversarial: in every step the positives
 * stand where the classifier likes them least, within a distance, which widens the margin.
 * Orthogonal: the negatives are random noise, unlabelled images made orthogonal by Gram and Schmidt
 * to the concept and to each other; the classifiers of several draws of noise are averaged.
 * Both take place around the origin that the config names: around zero, the direction that the
 * features of all images share would pass for the concept. The noise comes from the probes of all
 * concepts; the labelled negatives serve for the origin and the threshold.
 */
export const oaTcav: PrepareTrainer<OaTcav> = (problem, context) => {
  const pool = unlabelledImages(problem);
  return (task) =>
    Promise.all(
      task.methods.map((method) => trainOrthogonal(problem, task, { method, pool, ...context })),
    );
};

async function trainOrthogonal(
  problem: CavProblem,
  task: TrainerTask<OaTcav>,
  { method, pool, engine, random }: TrainingContext & {
    readonly method: OaTcav;
    readonly pool: readonly number[];
  },
): Promise<ConceptVectors> {
  const { draws, initialLength, origin, threshold, perturbation } = method.hyperparameters;
  const { concept: { concept, probes }, seeds } = task;
  const shots = requireShots(task);
  const centred = centreShots(shots, origin);
  const dim = shots.features.shape[2]!;
  const labelled = await againstNoise(problem, centred, {
    seeds,
    draws,
    pool,
    random: random.split("oa_tcav").split(concept),
  });
  const start = startVectors(
    { seeds, dim, length: initialLength },
    random.split("start").split(concept),
  );
  // One group for each draw of each seed.
  const seedOf = Array.from({ length: seeds.length * draws }, (_, i) => Math.floor(i / draws));
  const lengths = seeds.map((_, seed) =>
    meanLength(tensor(centred.features.shape.slice(1), row(centred.features, seed)))
  );
  const { vectors, biases } = await descend(
    {
      start: takeRows(start, seedOf),
      columns: 1,
      labelled: { ...labelled, perturbations: seedOf.map((seed) => perturbation * lengths[seed]!) },
    },
    { engine, descent: descentOf(method.hyperparameters, probes.length) },
  );
  const averages = averageGroups(tensor([seeds.length, draws, dim], vectors.data));
  const averageBiases = averageGroups(tensor([seeds.length, draws, 1], biases.data));
  const thresholds = thresholdsOf(threshold, {
    vectors: averages,
    biases: averageBiases.data,
    shots,
    centres: centred.centres,
  });
  return { vectors: averages, thresholds };
}

/**
 * The positives of each seed against each draw of noise, as many images as positives:
 * [seeds * draws, images, dim].
 */
async function againstNoise(
  { features }: CavProblem,
  centred: CentredShots,
  { seeds, draws, pool, random }: {
    readonly seeds: readonly number[];
    readonly draws: number;
    readonly pool: readonly number[];
    readonly random: Random;
  },
): Promise<Shots> {
  const dim = features.shape[1];
  const count = row(centred.labels, 0).filter((label) => label === 1).length;
  const against = zeros([seeds.length * draws, 2 * count, dim]);
  const labels = zeros([seeds.length * draws, 2 * count]);
  for (const [i, seed] of seeds.entries()) {
    const centre = row(centred.centres, i);
    const positives = row(centred.features, i).subarray(0, count * dim);
    for (let draw = 0; draw < draws; draw++) {
      const stream = random.split(seed).split(draw);
      const noise = await features.take(drawDistinct(pool, { count, random: stream }));
      noise.data.forEach((x, j) => noise.data[j] = x - centre[j % dim]!);
      const orthogonal = orthogonaliseNoise(noise, tensor([count, dim], positives));
      row(against, i * draws + draw).set(positives);
      row(against, i * draws + draw).set(orthogonal.data, positives.length);
      row(labels, i * draws + draw).fill(1, 0, count);
    }
  }
  return { features: against, labels };
}

/**
 * Random distinct items.
 *
 * @throws {RangeError} when there are too few.
 */
function drawDistinct(
  items: readonly number[],
  { count, random }: { readonly count: number; readonly random: Random },
): number[] {
  if (items.length < count) {
    throw new RangeError(
      `Drawing ${count} noise images takes as many probes, not ${items.length}.`,
    );
  }
  const drawn = new Set<number>();
  while (drawn.size < count) drawn.add(items[random.integer(items.length)]!);
  return [...drawn];
}

/**
 * Noise [images, dim] made orthogonal to the mean of the positives [images, dim] and, one after the
 * other, to each other. An image that depends linearly on those before it becomes zero.
 */
export function orthogonaliseNoise(noise: Tensor, positives: Tensor): Tensor {
  const [images = 0] = noise.shape;
  const { centre: concept } = centreRows(positives);
  const result = zeros(noise.shape);
  const basis = norm(concept) === 0 ? [] : [unit(concept)];
  for (let i = 0; i < images; i++) {
    const residual = Float64Array.from(row(noise, i));
    for (const direction of basis) subtractAlong(residual, direction);
    if (norm(residual) <= 1e-6 * norm(row(noise, i))) continue;
    basis.push(unit(residual));
    row(result, i).set(residual);
  }
  return result;
}

/** Takes away what of a vector lies along a unit vector: most of the time that the noise takes. */
function subtractAlong(vector: Float64Array, direction: Float64Array): void {
  let along = 0;
  for (let j = 0; j < vector.length; j++) along += vector[j]! * direction[j]!;
  for (let j = 0; j < vector.length; j++) vector[j]! -= along * direction[j]!;
}

function unit(vector: Float64Array): Float64Array {
  const length = norm(vector);
  return vector.map((x) => x / length);
}

/** Mean length of the rows of a matrix: the unit of the perturbation. */
function meanLength(features: Tensor): number {
  const [images = 0] = features.shape;
  let sum = 0;
  for (let i = 0; i < images; i++) sum += norm(row(features, i));
  return sum / images;
}

/** The mean over the middle axis: [groups, members, dim] to [groups, dim]. */
function averageGroups({ shape, data }: Tensor): Tensor {
  const [groups = 0, members = 0, dim = 0] = shape;
  const averages = zeros([groups, dim]);
  for (let group = 0; group < groups; group++) {
    for (let j = 0; j < dim; j++) {
      let sum = 0;
      for (let i = 0; i < members; i++) sum += data[(group * members + i) * dim + j]!;
      averages.data[group * dim + j] = sum / members;
    }
  }
  return averages;
}
