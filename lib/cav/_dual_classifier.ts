import type { Method } from "../config/mod.ts";
import { dot, row, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import { meanRow } from "./_centre_rows.ts";
import { methodByMethod, type PrepareTrainer } from "./concept_problem.ts";
import { requireShots } from "./_shots.ts";

/** The labelled images of one concept and seed as a classifier sees them that stays in their span. */
export interface SpanProblem {
  /** 1 of a positive, -1 of a negative. */
  readonly signs: Float64Array;
  /**
   * Inner products of the images, counted from their mean and divided by their mean squared length,
   * row by row. A penalty means the same at every backbone then, whatever the scale of its features.
   */
  readonly gram: Float64Array;
}

/** A classifier f(x) = sum of coefficient(i) k(x(i), x) + bias, with k that of the Gram matrix. */
export interface DualClassifier {
  readonly coefficients: ArrayLike<number>;
  readonly bias: number;
}

/**
 * The trainer of a linear classifier that is found in the span of its few labelled images, in
 * float64: for each concept and seed one small problem of as many unknowns as there are images,
 * however long the features are.
 */
export function dualClassifier<M extends Method>(
  fit: (problem: SpanProblem, method: M) => DualClassifier,
): PrepareTrainer<M> {
  return () =>
    methodByMethod((tasks, method) =>
      Promise.resolve(tasks.map((task) => {
        const { features, labels } = requireShots(task);
        const [seeds = 0, images = 0, dim = 0] = features.shape;
        const vectors = zeros([seeds, dim]);
        const thresholds = Array.from({ length: seeds }, (_, seed) => {
          const ofSeed = tensor([images, dim], row(features, seed));
          const { gram, centred, scale, centre } = spanOf(ofSeed);
          const signs = Float64Array.from(row(labels, seed), (label) => 2 * label - 1);
          const { coefficients, bias } = fit({ signs, gram }, method);
          const vector = new Float64Array(dim);
          centred.forEach((image, i) => {
            const weight = coefficients[i]! / scale;
            for (let j = 0; j < dim; j++) vector[j]! += weight * image[j]!;
          });
          row(vectors, seed).set(vector);
          return dot(vector, centre) - bias;
        });
        return { vectors, thresholds };
      }))
    );
}

/** Images counted from their mean, and their inner products divided by the mean squared length. */
function spanOf(features: Tensor) {
  const [images = 0, dim = 0] = features.shape;
  const centre = meanRow(features);
  const centred = Array.from({ length: images }, (_, i) => {
    const image = new Float64Array(row(features, i));
    for (let j = 0; j < dim; j++) image[j]! -= centre[j]!;
    return image;
  });
  const gram = new Float64Array(images * images);
  let squares = 0;
  for (let i = 0; i < images; i++) {
    for (let k = 0; k <= i; k++) {
      gram[i * images + k] = gram[k * images + i] = dot(centred[i]!, centred[k]!);
    }
    squares += gram[i * images + i]! / images;
  }
  // Images that are all equal tell nothing apart: the Gram matrix stays zero.
  const scale = squares > 0 ? squares : 1;
  for (let at = 0; at < gram.length; at++) gram[at]! /= scale;
  return { gram, centred, scale, centre };
}

/**
 * Solves (K + D) a + b 1 = y with the sum of a zero, for a Gram matrix K and a positive diagonal D:
 * what a penalised classifier with a free bias comes to in the span of its images.
 *
 * @param gram K, row by row
 */
export function solveWithBias(
  gram: Float64Array,
  { diagonal, targets }: {
    readonly diagonal: ArrayLike<number>;
    readonly targets: ArrayLike<number>;
  },
): DualClassifier {
  const size = targets.length;
  // Cholesky's factor, and the solutions for the targets and for ones.
  const factor = Float64Array.from(gram);
  for (let i = 0; i < size; i++) {
    factor[i * size + i]! += diagonal[i]!;
    for (let j = 0; j <= i; j++) {
      let sum = factor[i * size + j]!;
      for (let k = 0; k < j; k++) sum -= factor[i * size + k]! * factor[j * size + k]!;
      factor[i * size + j] = i === j ? Math.sqrt(sum) : sum / factor[j * size + j]!;
    }
  }
  const ofTargets = substitute(factor, Float64Array.from(targets));
  const ofOnes = substitute(factor, new Float64Array(size).fill(1));
  const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
  const bias = sum(ofTargets) / sum(ofOnes);
  return { coefficients: ofTargets.map((value, i) => value - bias * ofOnes[i]!), bias };
}

/** L L' x = b. */
function substitute(factor: Float64Array, b: Float64Array): Float64Array {
  const size = b.length;
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) b[i]! -= factor[i * size + k]! * b[k]!;
    b[i]! /= factor[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) b[i]! -= factor[k * size + i]! * b[k]!;
    b[i]! /= factor[i * size + i]!;
  }
  return b;
}
