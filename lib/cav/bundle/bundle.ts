import type { Tensor } from "../../tensor/mod.ts";
import type { BundleConfig, BundleMetrics } from "./config.ts";

/** The vectors of a bundle; an image x is positive when v . f(x) > threshold. */
export interface BundleTensors {
  /** [methods, seeds, concepts, dim] */
  readonly vectors: Tensor;
  /** [methods, seeds, concepts] */
  readonly thresholds: Tensor;
  /** The mean feature of the images that vectors were made with, [dim]. */
  readonly featureMean: Tensor;
  /** Random vectors of the concepts, which know nothing of them, [seeds, concepts, dim]. */
  readonly controls: Tensor;
}

/** A set of CAVs with all that is needed to use it. */
export interface Bundle {
  readonly config: BundleConfig;
  readonly metrics: BundleMetrics;
  readonly tensors: BundleTensors;
}

/** The shape that each tensor of a bundle must have. */
export function shapesOf(
  { methods, seeds, concepts, model: { dim } }: BundleConfig,
): Readonly<Record<keyof BundleTensors, readonly number[]>> {
  const [m, s, c] = [methods.length, seeds.length, concepts.length];
  return {
    vectors: [m, s, c, dim],
    thresholds: [m, s, c],
    featureMean: [dim],
    controls: [s, c, dim],
  };
}

/** The name of each tensor in cavs.safetensors. */
export const tensorNames: Readonly<Record<keyof BundleTensors, string>> = {
  vectors: "vectors",
  thresholds: "thresholds",
  featureMean: "feature_mean",
  controls: "controls",
};
