import { cosine, dot, row, type Tensor } from "../tensor/mod.ts";
import { conceptAccuracy } from "./concept_accuracy.ts";
import { conceptToClassAccuracy } from "./concept_to_class_accuracy.ts";
import { tcavScore } from "./tcav_score.ts";

/** What every measure says of itself. */
interface MeasureFacts {
  readonly title: string;
  readonly unit: string;
  /** Which values are good; `none` where a value is neither. */
  readonly direction: "higher" | "lower" | "none";
  /** What a CAV of random direction gets on average; null where that is not known beforehand. */
  readonly random: number | null;
  /** Raised whenever the measure may give other values of the same CAV. */
  readonly version: number;
}

/** The trained CAV of one concept: the vector [dim] and where its scores split. */
export interface TrainedCav {
  readonly vector: Float32Array;
  readonly threshold: number;
}

/** A measure with one value of each concept, by the concept's test images. */
export interface ConceptMeasure extends MeasureFacts {
  readonly over: "concepts";
  /** @param images features of the test images, [images, dim] each. */
  readonly measure: (
    cav: TrainedCav,
    images: { readonly positives: Tensor; readonly negatives: Tensor },
  ) => number;
}

/** A measure with one value of each ground-truth pair of concept and class. */
export interface PairMeasure extends MeasureFacts {
  readonly over: "pairs";
  /** @param gradients of the class's logit at its images, [images, dim]; one row where it is constant. */
  readonly measure: (cav: TrainedCav, gradients: Tensor) => number;
}

/** What is known of a concept's probe images. */
export interface ProbeActivations {
  /** Features in the target's space, unit length, [probes, dim]. */
  readonly features: Tensor;
  /** a_c(x) of each probe: cosine of text and image feature in the VL model. */
  readonly vl: Float32Array;
  /** Gaussian alignment of `vl` to the cosines of pairs of probe features (Eq. 4). */
  readonly aligned: Float32Array;
  /** Evenly spaced quantiles of the cosines of all pairs of probe features, as many as probes. */
  readonly pairs: Float32Array;
}

/** A measure with one value of each probe image of each concept. */
export interface ProbeMeasure extends MeasureFacts {
  readonly over: "probes";
  readonly measure: (cav: TrainedCav, probes: ProbeActivations) => ArrayLike<number>;
}

/** A measure of a trained CAV. */
export type Measure = ConceptMeasure | PairMeasure | ProbeMeasure;

/** Activations are neither good nor bad: they are looked at, as histograms. */
const activation = (title: string, measure: ProbeMeasure["measure"]): ProbeMeasure => ({
  over: "probes",
  title,
  unit: "cosine",
  direction: "none",
  random: null,
  version: 1,
  measure,
});

/** Every measure by its name: what the rest of the code knows of it. */
export const measures = {
  concept_accuracy: {
    over: "concepts",
    title: "Concept accuracy",
    unit: "%",
    direction: "higher",
    random: 50,
    version: 1,
    measure: ({ vector, threshold }, { positives, negatives }) =>
      conceptAccuracy(
        { positives: scores(vector, positives), negatives: scores(vector, negatives) },
        threshold,
      ),
  },
  concept_to_class_accuracy: {
    over: "pairs",
    title: "Concept-to-class accuracy",
    unit: "cosine x100",
    direction: "higher",
    random: 0,
    version: 1,
    measure: ({ vector }, gradients) => conceptToClassAccuracy(vector, gradients),
  },
  tcav_score: {
    over: "pairs",
    title: "TCAV score",
    unit: "%",
    direction: "higher",
    random: 50,
    version: 1,
    measure: ({ vector }, gradients) => tcavScore(vector, gradients),
  },
  vl_activation: activation("VL model", (_, { vl }) => vl),
  aligned_activation: activation("VL model, aligned", (_, { aligned }) => aligned),
  target_activation: activation("Target model, pairs of probes", (_, { pairs }) => pairs),
  cav_activation: activation("CAV", ({ vector }, { features }) => cosines(vector, features)),
} as const satisfies Readonly<Record<string, Measure>>;

/** The name of a measure. */
export type MeasureName = keyof typeof measures;

/** The names of all measures. */
export const measureNames = Object.keys(measures) as [MeasureName, ...MeasureName[]];

/** The measure of a name. */
export function measureOf(name: MeasureName): Measure {
  return measures[name];
}

function scores(vector: Float32Array, images: Tensor): number[] {
  return perRow(images, (features) => dot(vector, features));
}

function cosines(vector: Float32Array, images: Tensor): number[] {
  return perRow(images, (features) => cosine(vector, features));
}

function perRow(images: Tensor, value: (features: Float32Array) => number): number[] {
  return Array.from({ length: images.shape[0]! }, (_, image) => value(row(images, image)));
}
