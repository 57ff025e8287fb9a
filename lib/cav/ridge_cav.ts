import type { Method } from "../config/mod.ts";
import { dualClassifier, solveWithBias } from "./_dual_classifier.ts";

/**
 * Ridge classifier: the weight vector of the least sum of squares (v . x + b - y)^2 + penalty |v|^2
 * with y = 1 for a positive and -1 for a negative, on features counted from the mean of the labelled
 * images and divided by their root mean square length; scikit-learn's RidgeClassifier. In the span
 * of the images it is one system of linear equations.
 */
export const ridgeCav = dualClassifier<Method<"ridge_cav">>(
  ({ signs, gram }, { hyperparameters: { penalty } }) =>
    solveWithBias(gram, { diagonal: signs.map(() => penalty), targets: signs }),
);
