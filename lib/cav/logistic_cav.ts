import type { Method } from "../config/mod.ts";
import {
  type DualClassifier,
  dualClassifier,
  solveWithBias,
  type SpanProblem,
} from "./_dual_classifier.ts";

/**
 * Logistic regression at convergence: the weight vector of the least sum of
 * log(1 + exp(-y (v . x + b))) + penalty |v|^2 / 2, on the features of {@linkcode dualClassifier};
 * scikit-learn's LogisticRegression with C = 1 / penalty. What the original CAV's gradient descent
 * stops long before. Newton's method in the span of the images: each step is a ridge regression of
 * weighted images, halved as long as it does not lower the loss.
 */
export const logisticCav = dualClassifier<Method<"logistic_cav">>(
  (problem, { hyperparameters: { penalty } }) => newton(problem, penalty),
);

/** Steps of Newton's method at most; it takes ten or so. */
const mostSteps = 100;

/** Halvings of a step at most: beyond, it is lost in rounding. */
const mostHalvings = 40;

function newton({ signs, gram }: SpanProblem, penalty: number): DualClassifier {
  const size = signs.length;
  let current: DualClassifier = { coefficients: new Float64Array(size), bias: 0 };
  let loss = lossOf(current, { signs, gram }, penalty);
  for (let step = 0; step < mostSteps; step++) {
    const scores = scoresOf(current, gram);
    const shares = scores.map((score) => 1 / (1 + Math.exp(-score)));
    // An image far on its side has no curvature left, and its weight would divide by zero.
    const curvatures = shares.map((share) => Math.max(share * (1 - share), 1e-12));
    const target = solveWithBias(gram, {
      diagonal: curvatures.map((curvature) => penalty / curvature),
      targets: scores.map((score, i) =>
        score + ((signs[i]! + 1) / 2 - shares[i]!) / curvatures[i]!
      ),
    });
    let next = target;
    let lossOfNext = lossOf(next, { signs, gram }, penalty);
    for (let halving = 0; lossOfNext > loss && halving < mostHalvings; halving++) {
      next = midway(current, next);
      lossOfNext = lossOf(next, { signs, gram }, penalty);
    }
    if (!(lossOfNext < loss)) return current;
    [current, loss] = [next, lossOfNext];
  }
  return current;
}

function midway(a: DualClassifier, b: DualClassifier): DualClassifier {
  return {
    coefficients: Float64Array.from(a.coefficients, (x, i) => (x + b.coefficients[i]!) / 2),
    bias: (a.bias + b.bias) / 2,
  };
}

function scoresOf({ coefficients, bias }: DualClassifier, gram: Float64Array): Float64Array {
  const size = coefficients.length;
  return Float64Array.from({ length: size }, (_, i) => {
    let score = bias;
    for (let k = 0; k < size; k++) score += gram[i * size + k]! * coefficients[k]!;
    return score;
  });
}

function lossOf(
  classifier: DualClassifier,
  { signs, gram }: SpanProblem,
  penalty: number,
): number {
  const { coefficients, bias } = classifier;
  const scores = scoresOf(classifier, gram);
  let loss = 0;
  scores.forEach((score, i) => {
    const margin = signs[i]! * score;
    loss += Math.log1p(Math.exp(-Math.abs(margin))) + Math.max(0, -margin);
    loss += penalty / 2 * coefficients[i]! * (score - bias);
  });
  return loss;
}
