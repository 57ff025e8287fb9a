import type { CorrectedLayer } from "./correction_problem.ts";

/** What weights of images, [images] of mean 1, do to the loss; see `Diagnostic`. */
export function weightDiagnostics(
  weights: Float32Array,
  labels: Int32Array,
): CorrectedLayer["diagnostics"] {
  let change = 0;
  const perClass = new Map<number, ClassWeights>();
  for (const [image, label] of labels.entries()) {
    const weight = weights[image]!;
    change += Math.abs(weight - 1) / weights.length;
    const seen = perClass.get(label) ??
      { images: 0, sum: 0, squares: 0, least: Infinity, greatest: 0 };
    seen.images++;
    seen.sum += weight;
    seen.squares += weight ** 2;
    seen.least = Math.min(seen.least, weight);
    seen.greatest = Math.max(seen.greatest, weight);
    perClass.set(label, seen);
  }
  const classes = [...perClass.values()];
  const shares = classes.map(({ images, sum, squares }) => sum ** 2 / squares / images);
  return {
    effectiveSampleSize: shares.reduce((sum, share) => sum + share, 0) / shares.length,
    greatestWeightRatio: Math.max(...classes.map(({ greatest, least }) => greatest / least)),
    weightChange: change,
  };
}

interface ClassWeights {
  images: number;
  sum: number;
  squares: number;
  least: number;
  greatest: number;
}

/**
 * How much a softmax of cosines can change, at the most, from their ranges alone.
 *
 * Within class k, cosines that span a range r give weights w, of mean 1, that span a ratio of
 * R = exp(r / T) at the most. Of all such weights, mean |w - 1| is largest where each is either the
 * least, m, or the greatest, R m; with a share p of the latter m = 1 / (1 + p (R - 1)), and
 *
 *     mean |w - 1| = 2 p (1 - p) (R - 1) / (1 + p (R - 1)),
 *
 * largest at p = 1 / (1 + sqrt R), where it is 2 (sqrt R - 1) / (sqrt R + 1) = 2 tanh(r / 4T). This
 * is returned as the mean over the images. It bounds the gradient: with g(x) the gradient of image x,
 *
 *     |mean of w g - mean of g| = |mean of (w - 1) g| <= mean |w - 1| max |g|.
 *
 * As cosines lie in [-1, 1], r is 2 at the most: at the paper's temperature of 1 the change is below
 * 0.93 whatever the CAV, and about r / 2 for the small ranges of real features.
 */
export function largestPossibleChange(
  ranges: readonly { readonly range: number; readonly images: number }[],
  { temperature }: { readonly temperature: number },
): number {
  let [change, all] = [0, 0];
  for (const { range, images } of ranges) {
    change += images * 2 * Math.tanh(range / (4 * temperature));
    all += images;
  }
  return change / all;
}
