import type { Method } from "../config/mod.ts";
import { dot, type Random, row, takeRows, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import type {
  CavProblem,
  ConceptVectors,
  PrepareTrainer,
  TrainerTask,
  TrainingContext,
} from "./concept_problem.ts";
import { descend } from "./_descend.ts";
import { type CavEngine, descentOf } from "./engine.ts";
import { meanRow, subtractFromRows } from "./_centre_rows.ts";
import { rowLengths } from "./_row_lengths.ts";
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
    engine,
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
  { seeds, draws, pool, engine, random }: {
    readonly seeds: readonly number[];
    readonly draws: number;
    readonly pool: readonly number[];
    readonly engine: CavEngine;
    readonly random: Random;
  },
): Promise<Shots> {
  const dim = features.shape[1];
  const count = row(centred.labels, 0).filter((label) => label === 1).length;
  const groups = seeds.length * draws;
  const drawn = seeds.flatMap((seed) =>
    Array.from(
      { length: draws },
      (_, draw) => drawDistinct(pool, { count, random: random.split(seed).split(draw) }),
    ).flat()
  );
  const noise = await features.take(drawn);
  const images = zeros([groups, 1 + count, dim]);
  const against = zeros([groups, 2 * count, dim]);
  const labels = zeros([groups, 2 * count]);
  const seedOf = (group: number) => Math.floor(group / draws);
  for (let group = 0; group < groups; group++) {
    const positives = row(centred.features, seedOf(group)).subarray(0, count * dim);
    row(against, group).set(positives);
    row(labels, group).fill(1, 0, count);
    row(images, group).set(meanRow(tensor([count, dim], positives)));
    const ofGroup = noise.data.subarray(group * count * dim, (group + 1) * count * dim);
    row(images, group).set(ofGroup, dim);
    subtractFromRows(row(images, group).subarray(dim), row(centred.centres, seedOf(group)));
  }
  const orthogonal = await orthogonaliseNoise(images, engine);
  for (let group = 0; group < groups; group++) {
    row(against, group).set(row(orthogonal, group), count * dim);
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

/** Of an image's squared length, what may remain of one that depends linearly on those before it. */
const roundingError = 1e-6;

/**
 * Noise made orthogonal to a concept and, one after the other, to each other. An image that depends
 * linearly on those before it becomes zero. Gram and Schmidt's sums are found from inner products.
 *
 * @param images the concept, then its noise, for each set: [sets, 1 + noise, dim]
 * @returns [sets, noise, dim]
 */
export async function orthogonaliseNoise(images: Tensor, engine: CavEngine): Promise<Tensor> {
  const [sets = 0, count = 0] = images.shape;
  const grams = await engine.product(images, images);
  const sums = zeros([sets, count - 1, count]);
  for (let set = 0; set < sets; set++) {
    const rows = orthogonalSums(tensor([count, count], row(grams, set)));
    rows.slice(1).forEach((ofImage, i) => row(sums, set).set(ofImage, i * count));
  }
  return engine.product(sums, images, { transpose: "neither" });
}

/** Of each image the sum of those up to it that is orthogonal to those before, from their products. */
function orthogonalSums(gram: Tensor): Float64Array[] {
  const sums: Float64Array[] = [];
  const kept: { readonly sum: Float64Array; readonly square: number }[] = [];
  for (let i = 0; i < gram.shape[0]!; i++) {
    const products = row(gram, i);
    const sum = new Float64Array(products.length);
    sum[i] = 1;
    for (const before of kept) {
      const along = dot(before.sum, products) / before.square;
      for (let j = 0; j < i; j++) sum[j]! -= along * before.sum[j]!;
    }
    const square = dot(sum, products);
    const remains = square > roundingError * products[i]!;
    if (remains) kept.push({ sum, square });
    sums.push(remains ? sum : new Float64Array(products.length));
  }
  return sums;
}

/** Mean length of the rows of a matrix: the unit of the perturbation. */
function meanLength(features: Tensor): number {
  const lengths = rowLengths(features);
  return lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
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
