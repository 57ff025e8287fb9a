import type { Tensor } from "../tensor/mod.ts";
import type { Schedule } from "../config/mod.ts";
import type { Moments } from "./gaussian_alignment.ts";

/**
 * Concept vectors that train together as the columns of one matrix, because they share their probe
 * images. Columns come in groups; a group shares its labelled images (a seed's few shots) and the
 * vector that it starts from. The loss of the column (g, m) with vector v and bias b is the sum of
 * the terms that are there:
 *
 *     mean over labelled x of log(1 + exp(-y(x) (v . x + b)))                y(x) = 1 or -1
 *   + mean over probes x of weight(x) (cosine(v, x) - target(x))^2          (Eq. 3, 4, 5)
 */
export interface ColumnProblem {
  /** The vector that each group starts from, [groups, dim]. */
  readonly start: Tensor;
  /** Columns of a group. */
  readonly columns: number;
  readonly labelled?: LabelledImages | undefined;
  readonly probes?: ProbeImages | undefined;
  /**
   * Whether vectors are sums of the images and the start, instead of rows of coordinates. Then
   * everything is given by its inner products with a group's basis, which is the probes, its
   * labelled images and its start, in this order: dim is the size of the basis, but the probes have
   * products with each other only, and the rest stands apart; what comes out are coefficients.
   */
  readonly inSpan?: boolean | undefined;
}

/** The term of the ordinary linear classifier. */
export interface LabelledImages {
  /** [groups, images, dim]; the same number of images in each group. */
  readonly features: Tensor;
  /** 1 for a positive and 0 for a negative, [groups, images]. */
  readonly labels: Tensor;
  /**
   * How far the positives of each group are moved against the classifier before each step, in units
   * of the features: x - perturbation * v/|v| (OA-TCAV). Nowhere when left out.
   */
  readonly perturbations?: readonly number[] | undefined;
}

/** The term of language guidance. Minibatches are consecutive, so the caller puts rows in order. */
export interface ProbeImages {
  /** Unit vectors, [1, probes, dim]; a zero row has cosine 0 with everything. */
  readonly features: Tensor;
  /** In a span, products of the rest of each group's basis with the probes, [groups, rest, probes]. */
  readonly across?: Tensor | undefined;
  /** The cosine that each column should give each probe, [groups, columns, probes]. */
  readonly targets: Tensor;
  /** Coefficient of each probe's squared difference, [groups, columns, probes]. */
  readonly weights: Tensor;
}

/** Where the columns ended. */
export interface Columns {
  /** [groups, columns, dim] */
  readonly vectors: Tensor;
  /** [groups, columns]; 0 without labelled images. */
  readonly biases: Tensor;
}

/** What trains concept vectors: the arithmetic, without any knowledge of the methods. */
export interface CavEngine {
  readonly name: "ort" | "tfjs";
  /** Runtime, version and device in words, for the manifest. */
  readonly description: string;
  /**
   * Stochastic gradient descent with momentum on the sum of the columns' losses, by PyTorch's rule:
   * velocity = momentum * velocity + gradient + weightDecay * v; v = v - learningRate * velocity.
   * An epoch takes `batches` steps; each sees all labelled images and the next probes.
   * With two columns or more, and two probes or more in a batch, the bits of a column do not depend
   * on the others, nor on the groups beside it; a single row takes another way through the runtimes'
   * products.
   */
  minimise(problem: ColumnProblem, descent: Descent): Promise<Columns>;
  /**
   * The matrix product a b' of [n, k] and [m, k], a' b of [k, n] and [k, m], or a b of [n, k] and
   * [k, m]: [n, m]; with an axis before these, of as many pairs of matrices. With n of two or more, the bits of a row do not
   * depend on the other rows of a, nor those of a product on the other pairs.
   */
  product(a: Tensor, b: Tensor, options?: ProductOptions): Promise<Tensor>;
  /** The moments of the inner products of all ordered pairs of rows, of a [rows, dim] matrix. */
  pairMoments(rows: Tensor): Promise<Moments>;
  /** Frees the engine's memory. */
  close(): Promise<void>;
}

/** Which operand of a product is transposed: the second when left out. */
export interface ProductOptions {
  readonly transpose?: "first" | "second" | "neither";
}

/** A schedule with its number of minibatches per epoch. */
export interface Descent extends Omit<Schedule, "batchSize" | "initialLength"> {
  readonly batches: number;
}

/** First and one-past-last probe of minibatch `index`: sizes differ by one at most. */
export function batchBounds(
  index: number,
  { probes, batches }: { readonly probes: number; readonly batches: number },
): readonly [number, number] {
  return [Math.floor(index * probes / batches), Math.floor((index + 1) * probes / batches)];
}

/** How descent runs over so many probes: minibatches of `batchSize` at most, one at least. */
export function descentOf(schedule: Schedule, probes: number): Descent {
  const { learningRate, momentum, weightDecay, epochs, batchSize } = schedule;
  const batches = Math.max(1, Math.ceil(probes / batchSize));
  return { learningRate, momentum, weightDecay, epochs, batches };
}
