import { dot, row, type Tensor } from "../tensor/mod.ts";
import type { CavEngine } from "./engine.ts";

/** Mean and population standard deviation. */
export interface Moments {
  readonly mean: number;
  readonly deviation: number;
}

/** The pairs of probes whose cosines count: with each image paired with itself, or without. */
export type AlignmentPairs = "all ordered pairs" | "distinct pairs";

/** Which moments are aligned: both (Eq. 4), or fewer, to tell what each does. */
export type Alignment = "mean and deviation" | "mean" | "deviation" | "neither";

/**
 * GA, Gaussian alignment (Eq. 4): (a - mu_VL) / sigma_VL * sigma_target + mu_target for each
 * activation a of the VL model. Activations that are all equal carry no order: all become
 * mu_target. A moment that is not aligned stays the VL model's.
 */
export function alignActivations(
  activations: Float32Array,
  target: Moments,
  alignment: Alignment = "mean and deviation",
): Float32Array {
  if (alignment === "neither") return activations;
  const { mean, deviation } = momentsOf(activations);
  const ratio = deviation === 0 ? 0 : target.deviation / deviation;
  const scale = alignment === "mean" ? 1 : ratio;
  const centre = alignment === "deviation" ? mean : target.mean;
  return activations.map((a) => (a - mean) * scale + centre);
}

/** Mean and population standard deviation of some numbers, in two passes. */
export function momentsOf(values: ArrayLike<number>): Moments {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / values.length) };
}

/**
 * mu_target and sigma_target of Eq. 4: the moments of the cosines of all pairs of probe features,
 * from their Gram matrix where it is known.
 *
 * @param unit features of the probes divided by their lengths, [probes, dim]
 * @param options.gram inner products of all pairs, [probes, probes]
 */
export async function pairMoments(
  unit: Tensor,
  { engine, pairs, gram }: {
    readonly engine: CavEngine;
    readonly pairs: AlignmentPairs;
    readonly gram?: Tensor | undefined;
  },
): Promise<Moments> {
  const moments = gram ? momentsOf(gram.data) : await engine.pairMoments(unit);
  return pairs === "all ordered pairs" ? moments : withoutSelfPairs(moments, unit);
}

/** The same moments over the pairs of two different images; NaN when there is one image only. */
function withoutSelfPairs(
  { mean, deviation }: Moments,
  unit: Tensor,
): Moments {
  const [probes = 0] = unit.shape;
  // An image's cosine with itself is 1, or 0 for a feature without length.
  let selfPairs = 0;
  for (let i = 0; i < probes; i++) selfPairs += Math.round(dot(row(unit, i), row(unit, i)));
  const distinct = probes * (probes - 1);
  const distinctMean = (mean * probes ** 2 - selfPairs) / distinct;
  const meanSquare = ((deviation ** 2 + mean ** 2) * probes ** 2 - selfPairs) / distinct;
  return {
    mean: distinctMean,
    deviation: Math.sqrt(Math.max(0, meanSquare - distinctMean ** 2)),
  };
}
