import type { Method } from "../config/mod.ts";
import { trainsInSpan } from "./_span.ts";

/** What the CAVs of one method and seed cost, at most. */
export interface TrainingCost {
  /** Multiply-adds of this method and seed alone. */
  readonly multiplyAdds: number;
  /** Multiply-adds that all methods and seeds that train together do once. */
  readonly shared: number;
  /** Bytes of the largest matrices that are held at once. */
  readonly memory: number;
}

/** The sizes that training depends on. */
export interface TrainingSizes {
  readonly concepts: number;
  /** Images of which probes are chosen. */
  readonly images: number;
  /** Probes of each concept. */
  readonly probes: number;
  /** Positives, and as many negatives. */
  readonly shots: number;
  /** Length of the target model's features. */
  readonly dim: number;
}

/** Counts the products of training; the rest is small. */
export function trainingCost(method: Method, sizes: TrainingSizes): TrainingCost {
  if (method.base === "random_cav") return { multiplyAdds: 0, shared: 0, memory: 0 };
  if (method.base === "text_to_concept") return mapCost(method, sizes);
  return "learningRate" in method.hyperparameters
    ? descentCost(method as DescentMethod, sizes)
    : fewShotCost(sizes);
}

/** What is found in closed form or in the span of the labelled images: their inner products. */
function fewShotCost({ concepts, shots, dim }: TrainingSizes): TrainingCost {
  const images = 2 * shots;
  return {
    multiplyAdds: concepts * images * (images + 1) * dim,
    shared: 0,
    memory: floatBytes * 2 * images * dim,
  };
}

type DescentMethod = Method<"original_cav" | "concept_gradient" | "oa_tcav" | "lg_cav">;

/** One linear map for all concepts: the products of its images and the triangular factor of them. */
function mapCost(
  { hyperparameters }: Method<"text_to_concept">,
  { concepts, images, dim }: TrainingSizes,
): TrainingCost {
  const fitted = Math.min(hyperparameters.images, images);
  if (hyperparameters.map === "VL to target") {
    // The system of the VL model's features, which are short, is the smaller part.
    return { multiplyAdds: concepts * fitted * dim, shared: 0, memory: fitted * dim * floatBytes };
  }
  const side = Math.min(fitted, dim);
  return {
    multiplyAdds: side * fitted * dim / 2 + side ** 3 / 6,
    shared: 0,
    // Half of the products in double precision, and the images where they are read whole.
    memory: 4 * side ** 2 + (dim > fitted ? 0 : 2 * fitted * dim * floatBytes),
  };
}

/** Gradient descent: in a step each image that it sees is multiplied with the vector and added to it. */
function descentCost(
  method: DescentMethod,
  { concepts, probes, shots, dim }: TrainingSizes,
): TrainingCost {
  const { epochs, batchSize } = method.hyperparameters;
  const guided = method.base === "lg_cav" ? probes : 0;
  const labelled = 2 * shots * (method.base === "oa_tcav" ? method.hyperparameters.draws : 1);
  const steps = epochs * Math.ceil(probes / batchSize);
  const seen = epochs * guided + steps * labelled;
  const images = guided + labelled;
  const inSpan = trainsInSpan({ dim, images });
  const spanned = inSpan ? (labelled + 1) * images * dim : 0;
  return {
    multiplyAdds: concepts * (2 * seen * (inSpan ? images : dim) + spanned + steps * stepOverhead),
    // Gaussian alignment asks for the products of the probes with each other, and so does the span.
    shared: concepts * guided ** 2 * dim / 2,
    // The probes also in the order of a seed's minibatches.
    memory: floatBytes * (2 * images * dim + guided * dim + (inSpan ? 3 * images ** 2 : 0)),
  };
}

/** A step costs some 30 microseconds besides its products: as long as this many multiply-adds take. */
const stepOverhead = 5e5;

const floatBytes = Float32Array.BYTES_PER_ELEMENT;
