import type { Method } from "../config/mod.ts";
import { type DualClassifier, dualClassifier, type SpanProblem } from "./_dual_classifier.ts";

/**
 * Linear support vector machine: the weight vector of the least sum of max(0, 1 - y (v . x + b)) +
 * penalty |v|^2 / 2, on the features of {@linkcode dualClassifier}; scikit-learn's SVC with a linear
 * kernel and C = 1 / penalty. Sequential minimal optimisation of the dual (Platt 1998), with the pair
 * that violates the optimality conditions most, as LIBSVM's first-order rule (Fan et al. 2005).
 */
export const svmCav = dualClassifier<Method<"svm_cav">>(
  (problem, { hyperparameters: { penalty } }) => minimiseDual(problem, 1 / penalty),
);

/** How far two images of a pair may be from agreeing on the bias; margins are 1. */
const tolerance = 1e-10;

/** Pairs at most; twenty images take some hundreds. */
const mostPairs = 1_000_000;

/** Coefficients y(i) a(i) with 0 <= a(i) <= C and their sum zero. */
function minimiseDual({ signs, gram }: SpanProblem, most: number): DualClassifier {
  const size = signs.length;
  const alphas = new Float64Array(size);
  // What bias each image asks for: y(i) minus its score without a bias.
  const residuals = Float64Array.from(signs);
  const mayRise = (i: number) => signs[i]! > 0 ? alphas[i]! < most : alphas[i]! > 0;
  const mayFall = (i: number) => signs[i]! > 0 ? alphas[i]! > 0 : alphas[i]! < most;
  let [upper, lower] = [0, 0];
  for (let pair = 0; pair < mostPairs; pair++) {
    let [up, down] = [-1, -1];
    for (let i = 0; i < size; i++) {
      if (mayRise(i) && (up < 0 || residuals[i]! > residuals[up]!)) up = i;
      if (mayFall(i) && (down < 0 || residuals[i]! < residuals[down]!)) down = i;
    }
    [upper, lower] = [residuals[up]!, residuals[down]!];
    if (upper - lower < tolerance) break;
    const curvature = gram[up * size + up]! + gram[down * size + down]! -
      2 * gram[up * size + down]!;
    const step = Math.min(
      (upper - lower) / Math.max(curvature, 1e-12),
      signs[up]! > 0 ? most - alphas[up]! : alphas[up]!,
      signs[down]! > 0 ? alphas[down]! : most - alphas[down]!,
    );
    move(alphas, up, { by: signs[up]! * step, most });
    move(alphas, down, { by: -signs[down]! * step, most });
    for (let i = 0; i < size; i++) {
      residuals[i]! -= step * (gram[i * size + up]! - gram[i * size + down]!);
    }
  }
  return {
    coefficients: alphas.map((alpha, i) => signs[i]! * alpha),
    bias: biasOf(residuals, { free: (i) => mayRise(i) && mayFall(i), between: [lower, upper] }),
  };
}

/** Adds to a coefficient; one that reaches a bound but for rounding is on it. */
function move(
  alphas: Float64Array,
  index: number,
  { by, most }: { readonly by: number; readonly most: number },
): void {
  const moved = alphas[index]! + by;
  alphas[index] = moved < 1e-14 * most ? 0 : moved > (1 - 1e-14) * most ? most : moved;
}

/** The mean of what images on the margin ask for; without any, the middle of what is allowed. */
function biasOf(
  residuals: Float64Array,
  { free, between }: {
    readonly free: (image: number) => boolean;
    readonly between: readonly [number, number];
  },
): number {
  const asked = residuals.filter((_, i) => free(i));
  return asked.length === 0
    ? (between[0] + between[1]) / 2
    : asked.reduce((sum, bias) => sum + bias, 0) / asked.length;
}
