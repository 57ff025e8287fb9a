import {
  type BundleConfig,
  type BundleMetrics,
  type BundleTensors,
  type CavEngine,
  textActivations,
} from "../../cav/mod.ts";
import type { CavConfig, Plain } from "../../config/mod.ts";
import { correlation, mean, quantile } from "../../metrics/mod.ts";
import { cosine, row, takeRows, type Tensor, tensor } from "../../tensor/mod.ts";

/** What the quality of a bundle is computed from. */
export interface BundleEvidence {
  readonly config: BundleConfig;
  readonly tensors: BundleTensors;
  /** Features of the images that were held out, [images, dim]. */
  readonly heldOut: Tensor;
  /** The VL model's features of the words, [concepts, V], and of these images, [images, V]. */
  readonly texts: Tensor;
  readonly vl: Tensor;
  /** Deviation of the VL model's activations over all images, by concept. */
  readonly spreads: readonly number[];
}

/**
 * How far each concept's vectors can be trusted: the correlation of their cosines with what the VL
 * model says of images that no vector was trained on, the same of random vectors, and the angle
 * between seeds.
 *
 * @returns the metrics, and the mean cosine over seeds of the first method's vectors, by concept.
 */
export async function bundleMetrics(
  { config, tensors, heldOut, texts, vl, spreads }: BundleEvidence,
  { gates, engine }: {
    readonly gates: Plain<CavConfig>["gates"];
    readonly engine: CavEngine;
  },
): Promise<{ readonly metrics: BundleMetrics; readonly cosines: readonly Float32Array[] }> {
  const { methods, seeds, concepts, model: { dim } } = config;
  const images = heldOut.shape[0]!;
  const usual = quantile(spreads.toSorted((a, b) => a - b), 0.5);
  const rows: BundleMetrics["concepts"][number][] = [];
  const cosines: Float32Array[] = [];
  const of = (all: Tensor, set: number, concept: number) =>
    all.data.subarray(
      (set * concepts.length + concept) * dim,
      (set * concepts.length + concept + 1) * dim,
    );
  for (const [c, { name: concept }] of concepts.entries()) {
    // By itself, since a product with other words rounds otherwise.
    const wanted = (await textActivations(takeRows(texts, [c]), vl, { engine })).data;
    const fits = async (vectors: readonly Float32Array[]) => {
      const matrix = new Float32Array(vectors.length * dim);
      vectors.forEach((vector, i) => matrix.set(vector, i * dim));
      const activations = await textActivations(tensor([vectors.length, dim], matrix), heldOut, {
        engine,
      });
      return vectors.map((_, i) => ({
        cosines: row(activations, i),
        fit: correlation(row(activations, i), wanted),
      }));
    };
    const controls = await fits(seeds.map((_, s) => of(tensors.controls, s, c)));
    const controlFit = meanOf(controls.map(({ fit }) => fit === null ? null : Math.abs(fit)));
    const highest = Math.max(...controls.map(({ fit }) => Math.abs(fit ?? 0)));
    for (const [m, { id: method }] of methods.entries()) {
      const vectors = seeds.map((_, s) => of(tensors.vectors, m * seeds.length + s, c));
      const ofSeeds = await fits(vectors);
      if (m === 0) {
        cosines.push(
          Float32Array.from(
            { length: images },
            (_, i) => mean(ofSeeds.map((one) => one.cosines[i]!)),
          ),
        );
      }
      const fit = meanOf(ofSeeds.map((one) => one.fit));
      const angle = meanOf(
        pairs(vectors).map(([a, b]) =>
          Math.acos(Math.max(-1, Math.min(1, cosine(a, b)))) * 180 / Math.PI
        ),
      );
      const spread = spreads[c]!;
      rows.push({
        concept,
        method,
        fit,
        controlFit,
        angleBetweenSeeds: angle,
        spread,
        concerns: [
          ...(spread < gates.leastSpread * usual
            ? ["The images hardly vary in this concept: take more images, or other words."]
            : []),
          ...(fit === null || fit < gates.leastFit
            ? [
              "The vector does not follow the VL model on images it has not seen: take more images, other words, or another layer.",
            ]
            : []),
          ...(fit !== null && fit >= gates.leastFit && fit <= highest
            ? ["A random vector follows the VL model as well: take another layer."]
            : []),
          ...(angle !== null && angle > gates.largestAngle
            ? ["The seeds disagree on the direction: take more images."]
            : []),
        ],
      });
    }
  }
  return { metrics: { heldOutImages: images, concepts: rows }, cosines };
}

function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : mean(known);
}

function pairs<T>(items: readonly T[]): [T, T][] {
  return items.flatMap((a, i) => items.slice(i + 1).map((b): [T, T] => [a, b]));
}
