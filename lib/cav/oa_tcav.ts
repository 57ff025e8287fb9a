import type { Method } from "../config/mod.ts";
import { type Random, row, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import {
  type CavProblem,
  methodByMethod,
  type PrepareTrainer,
  type TrainerTask,
} from "./concept_problem.ts";
import { subtractFromRows } from "./_centre_rows.ts";
import { type LabelledGroups, trainLabelled } from "./_labelled_groups.ts";
import { rowLengths } from "./_row_lengths.ts";
import { requireShots, thresholdsOf } from "./_shots.ts";
import { unlabelledImages } from "./_unlabelled_images.ts";

type OaTcav = Method<"oa_tcav">;

/**
 * OA-TCAV, orthogonal adversarial CAV (arXiv 2002.03549). Adversarial: in every step the positives
 * stand where the classifier likes them least, within a distance, which widens the margin.
 * Orthogonal: the negatives are random noise, unlabelled images made orthogonal by Gram and Schmidt
 * to the concept and to each other; the classifiers of several draws of noise are averaged.
 * Both take place around the origin that the config names: around zero, the direction that the
 * features of all images share would pass for the concept. The noise comes from the probes of all
 * concepts less the images that judge this one; the labelled negatives serve for the origin and the
 * threshold.
 */
export const oaTcav: PrepareTrainer<OaTcav> = (problem, { engine, random }) => {
  return methodByMethod(async (tasks, method) => {
    const { origin, threshold, unlabelled } = method.hyperparameters;
    const trained = await trainLabelled(
      tasks.map((task) => () =>
        againstNoise(problem, task, {
          method,
          pool: unlabelledImages(problem, unlabelled === "may judge" ? [] : [task.concept]),
          random: random.split("oa_tcav").split(task.concept.concept),
        })
      ),
      { engine, schedule: method.hyperparameters },
    );
    return trained.map(({ vectors, biases }, i) => {
      const shots = requireShots(tasks[i]!);
      const { centres } = tasks[i]!.centred(origin);
      return { vectors, thresholds: thresholdsOf(threshold, { vectors, biases, shots, centres }) };
    });
  });
};

/**
 * The positives of each seed against each draw of noise, as many images as positives: one group for
 * each draw of each seed.
 */
async function againstNoise(
  { features }: CavProblem,
  task: TrainerTask<OaTcav>,
  { method: { hyperparameters }, pool, random }: {
    readonly method: OaTcav;
    readonly pool: readonly number[];
    readonly random: Random;
  },
): Promise<LabelledGroups> {
  requireShots(task);
  const { draws, initialLength, origin, perturbation } = hyperparameters;
  const { seeds, concept: { probes } } = task;
  const centred = task.centred(origin);
  const start = task.start(initialLength);
  const [, images = 0, dim = 0] = centred.features.shape;
  const count = row(centred.labels, 0).filter((label) => label === 1).length;
  const groups = seeds.length * draws;
  const own = zeros([groups, 2 * count + 1, dim]);
  const labels = zeros([groups, 2 * count]);
  const perturbations: number[] = [];
  for (const [i, seed] of seeds.entries()) {
    const ofSeed = row(centred.features, i);
    const length = meanLength(tensor([images, dim], ofSeed));
    const streams = random.split(seed);
    for (let draw = 0; draw < draws; draw++) {
      const group = i * draws + draw;
      const drawn = drawDistinct(pool, { count, random: streams.split(draw) });
      const noise = (await features.take(drawn)).data;
      subtractFromRows(noise, row(centred.centres, i));
      const members = row(own, group);
      members.set(ofSeed.subarray(0, count * dim));
      members.set(noise, count * dim);
      members.set(row(start, i), 2 * count * dim);
      row(labels, group).fill(1, 0, count);
      perturbations.push(perturbation * length);
    }
  }
  const sums = (gram: Tensor) => orthogonalise(gram, { positives: count });
  return { own, labels, averaged: draws, probes: probes.length, perturbations, sums };
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
      `Drawing ${count} noise images takes as many unlabelled images, not ${items.length}.`,
    );
  }
  const drawn = new Set<number>();
  while (drawn.size < count) drawn.add(items[random.integer(items.length)]!);
  return [...drawn];
}

/** Of an image's squared length, what may remain of one that depends linearly on those before it. */
const roundingError = 1e-6;

/**
 * Noise made orthogonal to the concept, which is the mean of the positives, and, one after the other,
 * to each other; an image that depends linearly on those before it becomes zero. Gram and Schmidt's
 * sums are found from inner products.
 *
 * @param gram products of the members of a group, [members, members]: positives, as many images of
 * noise, and its start.
 * @returns coefficients of what takes the place of each member, [members, members].
 */
export function orthogonalise(
  gram: Tensor,
  { positives }: { readonly positives: number },
): Tensor {
  const [members = 0] = gram.shape;
  const sums = zeros(gram.shape);
  for (let i = 0; i < members; i++) sums.data[i * members + i] = 1;
  const concept = new Float64Array(members).fill(1 / positives, 0, positives);
  const kept = [withProducts(concept, gram)].filter(({ square }) => square > 0);
  for (let i = positives; i < 2 * positives; i++) {
    const sum = Float64Array.from(row(sums, i));
    for (const before of kept) {
      const along = before.products[i]! / before.square;
      for (let j = 0; j < i; j++) sum[j]! -= along * before.sum[j]!;
    }
    const remains = withProducts(sum, gram);
    if (remains.square > roundingError * gram.data[i * members + i]!) kept.push(remains);
    else sum.fill(0);
    row(sums, i).set(sum);
  }
  return sums;
}

/** A sum of members, its products with them, and its squared length. */
function withProducts(sum: Float64Array, { data }: Tensor) {
  const members = sum.length;
  const products = new Float64Array(members);
  let square = 0;
  for (let j = 0; j < members; j++) {
    const x = sum[j]!;
    if (x === 0) continue;
    for (let i = 0; i < members; i++) products[i]! += x * data[j * members + i]!;
  }
  for (let i = 0; i < members; i++) square += sum[i]! * products[i]!;
  return { sum, products, square };
}

/** Mean length of the rows of a matrix: the unit of the perturbation. */
function meanLength(features: Tensor): number {
  const lengths = rowLengths(features);
  return lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
}
