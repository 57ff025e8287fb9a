import type { Method } from "../config/mod.ts";
import { dot, norm, type Random, row, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import { centreRows } from "./_centre_rows.ts";
import type { CavProblem, ConceptProblem, TrainerTask } from "./concept_problem.ts";

/** The labelled images of one concept for each seed: positives first. */
export interface Shots {
  /** [seeds, images, dim] */
  readonly features: Tensor;
  /** 1 or 0, [seeds, images] */
  readonly labels: Tensor;
}

/**
 * Gathers the few-shot images of a concept; undefined when it has none for any of the seeds.
 *
 * @throws {RangeError} when a seed has no positives or no negatives, or seeds differ in number.
 */
export async function shotsOf(
  problem: CavProblem,
  concept: ConceptProblem,
  seeds: readonly number[],
): Promise<Shots | undefined> {
  const indices = seeds.map((seed) => problem.seeds.indexOf(seed));
  const [positives, negatives] = [concept.positives, concept.negatives].map((lists) =>
    indices.map((index) => lists[index] ?? new Int32Array())
  ) as [Int32Array[], Int32Array[]];
  const counts = [positives, negatives].map((lists) => lists.map(({ length }) => length));
  if (counts.flat().every((count) => count === 0)) return undefined;
  const [count = 0, others = 0] = counts.map(([first]) => first);
  if (counts.some((perSeed) => perSeed.some((count) => count === 0 || count !== perSeed[0]))) {
    throw new RangeError(
      `Training vectors of "${concept.concept}" takes the same number of positives for each of ` +
        `${seeds.length} seeds, and of negatives, not [${counts[0]}] and [${counts[1]}].`,
    );
  }
  const images = count + others;
  const rows = seeds.flatMap((_, i) => [...positives[i]!, ...negatives[i]!]);
  const labels = zeros([seeds.length, images]);
  for (let seed = 0; seed < seeds.length; seed++) row(labels, seed).fill(1, 0, count);
  const { shape: [, dim = 0], data } = await problem.features.take(rows);
  return { features: tensor([seeds.length, images, dim], data), labels };
}

/**
 * The shots of a method that cannot do without.
 *
 * @throws {RangeError} when there are none.
 */
export function requireShots({ shots, concept }: TrainerTask<Method>): Shots {
  if (shots) return shots;
  throw new RangeError(
    `Training vectors of "${concept.concept}" without language takes labelled images: give each ` +
      `seed some positives and negatives, or choose a method of the base "lg_cav".`,
  );
}

/** Where features are counted from. */
export type Origin = "mean of the labelled images" | "zero";

/** Features counted from another origin. */
export interface CentredShots extends Shots {
  /** What was subtracted from the features of each seed, [seeds, dim]. */
  readonly centres: Tensor;
}

/**
 * Counts the features of each seed from the mean of its images. A classifier of features counted
 * from elsewhere is the same classifier with another bias; but gradient descent finds it sooner,
 * because the direction that the features of all images share no longer stands in for the bias.
 */
export function centreShots(
  { features, labels }: Shots,
  origin: Origin,
): CentredShots {
  const [seeds = 0, images = 0, dim = 0] = features.shape;
  const centres = zeros([seeds, dim]);
  if (origin === "zero") return { features, labels, centres };
  const centred = zeros(features.shape);
  for (let seed = 0; seed < seeds; seed++) {
    const { centre, deviations } = centreRows(tensor([images, dim], row(features, seed)));
    row(centres, seed).set(centre);
    row(centred, seed).set(deviations.data);
  }
  return { features: centred, labels, centres };
}

/** The threshold on v . f(x) of each seed's classifier v . (f(x) - centre) + bias. */
export function thresholdsOf(
  rule: "trained bias" | "midpoint",
  { vectors, biases, shots, centres }: {
    /** [seeds, dim] */
    readonly vectors: Tensor;
    /** One per seed. */
    readonly biases: ArrayLike<number>;
    readonly shots: Shots;
    readonly centres: Tensor;
  },
): number[] {
  return Array.from({ length: vectors.shape[0]! }, (_, seed) => {
    const vector = row(vectors, seed);
    return rule === "midpoint"
      ? midpoint(vector, { shots, seed })
      : dot(vector, row(centres, seed)) - biases[seed]!;
  });
}

/** The stream of a concept's random starts. */
export function startStream(random: Random, concept: string): Random {
  return random.split("start").split(concept);
}

/** A random vector for each seed to start from, uniform on the sphere of that length: [seeds, dim]. */
export function startVectors(
  { seeds, dim, length }: {
    readonly seeds: readonly number[];
    readonly dim: number;
    readonly length: number;
  },
  random: Random,
): Tensor {
  const start = zeros([seeds.length, dim]);
  seeds.forEach((seed, i) => {
    const stream = random.split(seed);
    const direction = Float64Array.from({ length: dim }, stream.normal);
    const scale = length / norm(direction);
    row(start, i).set(direction.map((x) => x * scale));
  });
  return start;
}

/** Midway between the mean score of the positives and that of the negatives of one seed. */
export function midpoint(
  vector: Float32Array,
  { shots, seed }: { readonly shots: Shots; readonly seed: number },
): number {
  const [, images = 0, dim = 0] = shots.features.shape;
  const labels = row(shots.labels, seed);
  const features = tensor([images, dim], row(shots.features, seed));
  const sums = [0, 0];
  const counts = [0, 0];
  for (let i = 0; i < images; i++) {
    sums[labels[i]!]! += dot(vector, row(features, i));
    counts[labels[i]!]! += 1;
  }
  return (sums[0]! / counts[0]! + sums[1]! / counts[1]!) / 2;
}
