import type { FeatureRows } from "../activations/mod.ts";
import type { Correction } from "../config/mod.ts";
import { cosine, norm, row, type Tensor } from "../tensor/mod.ts";
import { largestPossibleChange, weightDiagnostics } from "./image_weights.ts";
import type { Objective } from "./_objective.ts";
import { blocksOf } from "./_rows.ts";

/**
 * ASR, activation sample reweighting (Eq. 7): the last layer is retrained with weights. That of image
 * x of class k is |I_k| softmax over I_k of cosine(v_k, f(x)) / temperature, so the mean weight of a
 * class is 1. A class without a CAV has weights of 1.
 *
 * @param classCosines of each image with the CAV of its class, [images].
 */
export function asr(
  { hyperparameters }: Correction<"asr">,
  { labels, cavs, classCosines }: {
    readonly labels: Int32Array;
    readonly cavs: Tensor;
    readonly classCosines: Float64Array;
  },
): Objective {
  const { temperature } = hyperparameters;
  const weights = new Float32Array(labels.length).fill(1);
  const ranges: { range: number; images: number }[] = [];
  for (const [label, images] of imagesOfClasses(labels)) {
    const cosines = images.map((image) => classCosines[image]!);
    if (norm(row(cavs, label)) === 0) {
      ranges.push({ range: 0, images: images.length });
      continue;
    }
    asrWeights(cosines, { temperature }).forEach((weight, i) => weights[images[i]!] = weight);
    const [highest, lowest] = extremes(cosines);
    ranges.push({ range: highest - lowest, images: images.length });
  }
  return {
    weights,
    settings: hyperparameters,
    diagnostics: {
      ...weightDiagnostics(weights, labels),
      cosineRange: extremes(ranges.map(({ range }) => range))[0],
      largestPossibleChange: largestPossibleChange(ranges, { temperature }),
    },
  };
}

/** Eq. 7 for the images of one class. */
export function asrWeights(
  cosines: readonly number[],
  { temperature }: { readonly temperature: number },
): Float64Array {
  const [highest] = extremes(cosines);
  const powers = Float64Array.from(cosines, (value) => Math.exp((value - highest) / temperature));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power * cosines.length / total);
}

/**
 * The cosine of each image's features with the CAV of its class, for several sets of CAVs in one pass
 * over the features: [images] for each set. It is 0 where the CAV is.
 */
export async function cosinesWithOwnCav(
  features: FeatureRows,
  { labels, cavs, signal }: {
    readonly labels: Int32Array;
    readonly cavs: readonly Tensor[];
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Float64Array[]> {
  const cosines = cavs.map(() => new Float64Array(labels.length));
  for await (const { start, rows } of blocksOf(features, signal)) {
    for (let i = 0; i < rows.shape[0]!; i++) {
      const image = start + i;
      for (const [set, ofSet] of cavs.entries()) {
        cosines[set]![image] = cosine(row(ofSet, labels[image]!), row(rows, i));
      }
    }
  }
  return cosines;
}

/** The images of each class that has some, as numbers of images. */
function imagesOfClasses(labels: Int32Array): Map<number, number[]> {
  return Map.groupBy(labels.keys(), (image) => labels[image]!);
}

/** The highest and the lowest of numbers, of which there may be too many for Math.max. */
function extremes(values: readonly number[]): readonly [highest: number, lowest: number] {
  let [highest, lowest] = [-Infinity, Infinity];
  for (const value of values) {
    if (value > highest) highest = value;
    if (value < lowest) lowest = value;
  }
  return [highest, lowest];
}
