import type { Random } from "../tensor/mod.ts";
import { quantile } from "./mean.ts";

/**
 * What one concept contributes to a weighted mean: the sum of its values, each times its weight, and
 * the sum of the weights. A concept has one value of concept accuracy, but one for each of its
 * classes of a pair metric; those share the CAV, so a concept is drawn with all of its values
 * (cluster bootstrap) and keeps its weight.
 */
export interface Cluster {
  readonly sum: number;
  readonly weight: number;
}

/** Which clusters each bootstrap resample holds: `draws` is [resamples, clusters], row-major. */
export interface Resamples {
  readonly clusters: number;
  readonly draws: Uint32Array;
}

/**
 * Draws bootstrap resamples: `clusters` indices with replacement, `resamples` times. Cells of one
 * table share them, which makes their intervals comparable and costs the random numbers once.
 *
 * @throws {RangeError} when there are no clusters or resamples.
 */
export function drawResamples(
  clusters: number,
  { resamples, random }: { readonly resamples: number; readonly random: Random },
): Resamples {
  if (!(clusters > 0 && resamples > 0)) {
    throw new RangeError(`${resamples} bootstrap resamples of ${clusters} clusters.`);
  }
  const draws = Uint32Array.from(
    { length: clusters * resamples },
    () => random.integer(clusters),
  );
  return { clusters, draws };
}

/**
 * Percentile bootstrap interval of the weighted mean over all values, resampling clusters (Efron and
 * Tibshirani 1993, chapter 13). With one cluster the interval is a point.
 *
 * @throws {RangeError} when the resamples are of another number of clusters.
 */
export function bootstrapInterval(
  clusters: readonly Cluster[],
  { resamples, confidence }: { readonly resamples: Resamples; readonly confidence: number },
): { readonly low: number; readonly high: number } {
  const size = clusters.length;
  if (size !== resamples.clusters) {
    throw new RangeError(
      `A bootstrap of ${size} clusters with resamples of ${resamples.clusters}.`,
    );
  }
  const sums = Float64Array.from(clusters, (cluster) => cluster.sum);
  const weights = Float64Array.from(clusters, (cluster) => cluster.weight);
  const means = new Float64Array(resamples.draws.length / size);
  for (let resample = 0; resample < means.length; resample++) {
    let sum = 0;
    let weight = 0;
    for (let i = resample * size; i < (resample + 1) * size; i++) {
      const drawn = resamples.draws[i]!;
      sum += sums[drawn]!;
      weight += weights[drawn]!;
    }
    means[resample] = sum / weight;
  }
  means.sort();
  const tail = (1 - confidence) / 2;
  return { low: quantile(means, tail), high: quantile(means, 1 - tail) };
}
