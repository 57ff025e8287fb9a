import { momentsOf } from "./gaussian_alignment.ts";

/** How deviations become weights. */
export interface Reweighting {
  /**
   * `softmax`: Eq. 5. The paper allows others without naming one: `linear`, from 0 at the greatest
   * deviation to the most at the least; `rank`, the same by order alone; `inverse deviation`, 1 over
   * it; `none`, equal weights.
   */
  readonly normalisation: "softmax" | "linear" | "rank" | "inverse deviation" | "none";
  /** What the softmax divides the deviations by; Eq. 5 has 1. */
  readonly temperature: number;
}

/** Eq. 5 as printed. */
const printed: Reweighting = { normalisation: "softmax", temperature: 1 };

/**
 * DSR, deviation sample reweighting (Eq. 5): the weight of probe x is |R| softmax over R of
 * -std over x' in P_c of cosine(f(x), f(x')). A probe that is as near to every positive counts
 * more than one that resembles some of them only; the mean weight is 1. The standard deviation is
 * the population's; with a single positive all weights are 1.
 *
 * @param cosines of each probe with each positive, probe by probe
 */
export function deviationWeights(
  cosines: readonly ArrayLike<number>[],
  reweighting: Reweighting = printed,
): Float32Array {
  const deviations = cosines.map((perPositive) => momentsOf(perPositive).deviation);
  const shares = sharesOf(deviations, reweighting);
  const total = shares.reduce((sum, share) => sum + share, 0);
  return Float32Array.from(shares, (share) => share * shares.length / total);
}

/** What the weights are in proportion to; where all deviations are equal, so are these. */
function sharesOf(
  deviations: readonly number[],
  { normalisation, temperature }: Reweighting,
): readonly number[] {
  const [least, most] = [Math.min(...deviations), Math.max(...deviations)];
  if (normalisation === "none" || least === most) return deviations.map(() => 1);
  switch (normalisation) {
    case "softmax":
      return deviations.map((deviation) => Math.exp((least - deviation) / temperature));
    case "linear":
      return deviations.map((deviation) => most - deviation);
    case "rank":
      return ranksFromMost(deviations);
    case "inverse deviation":
      return inverses(deviations);
  }
}

/** 1 for the greatest, up to their number for the least; equal values share their mean rank. */
function ranksFromMost(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[b]! - values[a]!);
  const ranks = values.map(() => 0);
  for (let first = 0; first < order.length;) {
    let end = first;
    while (end < order.length && values[order[end]!] === values[order[first]!]) end++;
    for (let at = first; at < end; at++) ranks[order[at]!] = (first + 1 + end) / 2;
    first = end;
  }
  return ranks;
}

/** 1 over each; where some are zero these share all of the weight. */
function inverses(values: readonly number[]): number[] {
  return values.includes(0)
    ? values.map((value) => value === 0 ? 1 : 0)
    : values.map((value) => 1 / value);
}

/**
 * The effective sample size of weights (Kish): the square of their sum over the sum of their
 * squares. As many as there are where all are equal, 1 where one has all of the weight.
 */
export function effectiveSampleSize(weights: ArrayLike<number>): number {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i]!;
    squares += weights[i]! ** 2;
  }
  return sum ** 2 / squares;
}
