import { keptBytes, rowsPerBlock } from "../activations/mod.ts";
import { trainingCost, type TrainingSizes } from "../cav/mod.ts";
import type { Method, RunnableCorrection } from "../config/mod.ts";
import type { BackboneCost, FeatureCost } from "../models/mod.ts";
import type { Estimate } from "./stage.ts";
import { cosinesPerBlock, imagesPerBlock } from "./stages/mod.ts";

/** A number of a tensor. */
const bytesPerNumber = Float32Array.BYTES_PER_ELEMENT;

/** The images of a stage, at most, and how many of them pass a model at once. */
interface Images {
  readonly count: number;
  readonly batch: number;
}

/** Rendering the world: a file of an image is no larger than its pixels, and fills blocks of a disk. */
export function renderingEstimate(
  { count, imageSize }: { readonly count: number; readonly imageSize: number },
): Estimate {
  const block = 4096;
  return { images: count, bytes: count * block * Math.ceil(3 * imageSize ** 2 / block) };
}

/** Features of images. */
export function featuresEstimate(cost: FeatureCost, { count, batch }: Images): Estimate {
  return {
    images: count,
    multiplyAdds: count * cost.multiplyAdds,
    bytes: count * cost.width * bytesPerNumber,
    memory: modelBytes(cost, batch) + bytesPerNumber * 2 * rowsPerBlock * cost.pixels,
  };
}

/** Gradients of logits: the way back costs twice the way there, and meets the layers behind. */
export function gradientsEstimate(cost: BackboneCost, { count, batch }: Images): Estimate {
  const forwards = featuresEstimate(cost, { count, batch });
  return {
    ...forwards,
    multiplyAdds: 3 * count * cost.multiplyAdds,
    memory: forwards.memory! + bytesPerNumber * 2 * batch * cost.laterActivations,
  };
}

/** What the runtime and the reading of images take besides. */
const runtimeBytes = 150e6;

/**
 * The memory of a model that is open. Twice its activations, since the runtime's memory grows by
 * doubling. At the released sizes this is at least what was measured, and at most 0.8 GB more
 * (bench/model_memory.ts).
 */
function modelBytes({ parameters, copies, activations }: FeatureCost, batch: number): number {
  return runtimeBytes + bytesPerNumber * (copies * parameters + 2 * batch * activations);
}

/** The choice of probes: the activations of all images for some concepts at a time. */
export function probesEstimate(
  { concepts, images, width }: {
    readonly concepts: number;
    readonly images: number;
    /** Of the VL model's features. */
    readonly width: number;
  },
): Estimate {
  return {
    multiplyAdds: concepts * images * width,
    memory: bytesPerNumber *
      (2 * width * Math.min(images, imagesPerBlock) + Math.min(concepts * images, cosinesPerBlock)),
  };
}

/** Training the CAVs of one method and seed: besides its matrices, features are kept that were read. */
export function trainingEstimate(method: Method, sizes: TrainingSizes): Estimate {
  const { multiplyAdds, shared, memory } = trainingCost(method, sizes);
  const { concepts, images, dim } = sizes;
  return {
    multiplyAdds,
    shared,
    bytes: concepts * dim * bytesPerNumber,
    memory: memory + Math.min(keptBytes, images * dim * bytesPerNumber),
  };
}

/**
 * Correcting a last layer: each pass over the images takes the logits, and their gradient at the
 * weights. A bottleneck is taken to have no more concepts than there are classes.
 */
export function correctionEstimate(
  { hyperparameters }: RunnableCorrection,
  { images, dim, classes }: {
    readonly images: number;
    readonly dim: number;
    readonly classes: number;
  },
): Estimate {
  return {
    multiplyAdds: 2 * passesOf(hyperparameters, images) * images * dim * classes,
    bytes: classes * (dim + 1) * bytesPerNumber,
    memory: Math.min(keptBytes, images * dim * bytesPerNumber) +
      4 * classes * (dim + 1) * bytesPerNumber,
  };
}

/** Passes over the images, at most; one of a correction that does not descend. */
function passesOf(
  hyperparameters: RunnableCorrection["hyperparameters"],
  images: number,
): number {
  if ("epochs" in hyperparameters) return hyperparameters.epochs;
  if (!("sagaEpochs" in hyperparameters) || images === 0) return 1;
  const { steps, batchSize, sagaEpochs, sagaSteps, sagaBatchSize } = hyperparameters;
  const conceptPasses = steps * Math.min(1, batchSize / images);
  const stepsPerEpoch = Math.ceil(images / sagaBatchSize);
  return conceptPasses + Math.min(sagaEpochs, Math.ceil(sagaSteps / stepsPerEpoch));
}
