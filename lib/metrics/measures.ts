import { cosine, dot, norm, row, type Tensor } from "../tensor/mod.ts";
import { areaUnderRoc } from "./area_under_roc.ts";
import { conceptAccuracy } from "./concept_accuracy.ts";
import { conceptOverlap } from "./concept_overlap.ts";
import { conceptToClassAccuracy } from "./concept_to_class_accuracy.ts";
import { scaledRecall } from "./recall_at_k.ts";
import { stability } from "./stability.ts";
import { tcavScore } from "./tcav_score.ts";

/** What every measure says of itself. */
interface MeasureFacts {
  readonly title: string;
  readonly unit: string;
  /** Which values are good; `none` where a value is neither. */
  readonly direction: "higher" | "lower" | "none";
  /** How the values of a cell become one number; `mean` weighs each by its run's weight. */
  readonly aggregate: "mean" | "least";
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

/** A measure with one value of each concept: whether its CAV ranks images as language does. */
export interface RankingMeasure extends MeasureFacts {
  readonly over: "rankings";
  /**
   * @param scores of the CAV at the test images.
   * @param vl a_c(x) of the same images.
   */
  readonly measure: (scores: ArrayLike<number>, vl: ArrayLike<number>) => number;
}

/** A measure with one value of each concept: its CAV beside the random vector that it started from. */
export interface StartMeasure extends MeasureFacts {
  readonly over: "starts";
  readonly measure: (cav: TrainedCav, start: Float32Array) => number;
}

/** The test images of one class as a last layer tells them. */
export interface ClassifiedImages {
  /** Whether the class has the highest logit, by image. */
  readonly correct: readonly boolean[];
  /** Whether the scene is the one that the class has most often in training, by image. */
  readonly preferred: readonly boolean[];
}

/** A value of some images. */
export interface WeightedValue {
  /** Which images of the class; "" for the one value of all. */
  readonly group: string;
  readonly value: number;
  /** How many they are. */
  readonly weight: number;
}

/** A measure of a last layer, with values of each class. */
export interface ClassMeasure extends MeasureFacts {
  readonly over: "classes";
  /** Whether it asks for the scenes of the images. */
  readonly scenes: boolean;
  readonly measure: (images: ClassifiedImages) => readonly WeightedValue[];
}

/** A measure of how a last layer was corrected: one number that the correction tells of itself. */
export interface CorrectionMeasure extends MeasureFacts {
  readonly over: "corrections";
  /** Which of its diagnostics, and what multiplies it. */
  readonly diagnostic: string;
  readonly factor: number;
}

/** A value of each image that a gallery shows; what chooses the images gives it. */
export interface PictureMeasure extends MeasureFacts {
  readonly over: "pictures";
}

/** A measure with one value of each concept, by the classes that it belongs to and all others. */
export interface RelationMeasure extends MeasureFacts {
  readonly over: "relations";
  /** @param gradients of each class's logit at its images, [images, dim] each. */
  readonly measure: (
    cav: TrainedCav,
    gradients: { readonly related: readonly Tensor[]; readonly unrelated: readonly Tensor[] },
  ) => number;
}

/**
 * A measure with one value of each concept, by other CAVs of the same method: those of the concept's
 * other seeds, or those of the other concepts.
 */
export interface PeerMeasure extends MeasureFacts {
  readonly over: "seeds" | "other concepts";
  readonly measure: (vector: Float32Array, others: readonly Float32Array[]) => number;
}

/** A measure of each ground-truth pair: whether its value is beyond what controls get. */
export interface SignificanceMeasure extends MeasureFacts {
  readonly over: "significance";
  /** The name of the measure over pairs whose values are tested. */
  readonly of: "concept_to_class_accuracy" | "tcav_score";
}

/**
 * A measure with one value of each ground-truth pair: what reweighting the probes did to the CAV of
 * the pair's concept, beside the CAV of the same method without it.
 */
export interface ReweightingMeasure extends MeasureFacts {
  readonly over: "reweightings";
  /**
   * @param options.without the CAV that all but the weights made.
   * @param options.share effective sample size of the weights, as a share of the probes.
   * @param options.gradients of the class's logit at its images, [images, dim].
   */
  readonly measure: (
    cav: TrainedCav,
    options: {
      readonly without: TrainedCav;
      readonly share: number;
      readonly gradients: Tensor;
    },
  ) => number;
}

/** How a CAV lies to the true directions of the concepts; see {@linkcode trueDirections}. */
export interface TruthOfCav {
  /** The concept of the CAV, and the factor that it is a value of. */
  readonly concept: string;
  readonly category: string;
  /** The true direction of each concept, of the CAV's own too. */
  readonly directions: readonly {
    readonly concept: string;
    readonly category: string;
    /** Its cosine with the CAV. */
    readonly cosine: number;
    /** Its cosine with the true direction of the CAV's concept. */
    readonly ofTruth: number;
  }[];
  /** What is known of the true direction of the CAV's concept, whatever the CAV is. */
  readonly reliability: number;
  readonly consistency: number;
}

/** A measure of a CAV by what interventions say of its concept: one value, or one of each direction. */
export interface TruthMeasure extends MeasureFacts {
  readonly over: "truths";
  /** `direction` is the concept of the true direction that the value is of, "" for the only value. */
  readonly measure: (
    truth: TruthOfCav,
  ) => readonly { readonly direction: string; readonly value: number }[];
}

/** A measure of a trained CAV, or of a corrected last layer. */
export type Measure =
  | ConceptMeasure
  | PairMeasure
  | ProbeMeasure
  | RankingMeasure
  | StartMeasure
  | TruthMeasure
  | ClassMeasure
  | CorrectionMeasure
  | PictureMeasure
  | RelationMeasure
  | PeerMeasure
  | SignificanceMeasure
  | ReweightingMeasure;

/** Activations are neither good nor bad: they are looked at, as histograms. */
const activation = (title: string, measure: ProbeMeasure["measure"]): ProbeMeasure => ({
  over: "probes",
  title,
  unit: "cosine",
  direction: "none",
  aggregate: "mean",
  random: null,
  version: 1,
  measure,
});

const significance = (title: string, of: SignificanceMeasure["of"]): SignificanceMeasure => ({
  over: "significance",
  title,
  unit: "% of the pairs",
  direction: "none",
  aggregate: "mean",
  random: null,
  version: 1,
  of,
});

const ofTruth = (
  title: string,
  { measure, ...facts }: Pick<TruthMeasure, "direction" | "random" | "measure">,
): TruthMeasure => ({
  over: "truths",
  title,
  unit: "cosine x100",
  aggregate: "mean",
  version: 1,
  ...facts,
  measure: (truth) =>
    measure(truth).map(({ direction, value }) => ({ direction, value: 100 * value })),
});

const ofPictures = (title: string, unit: string): PictureMeasure => ({
  over: "pictures",
  title,
  unit,
  direction: "none",
  aggregate: "mean",
  random: null,
  version: 1,
});

const ofReweighting = (
  title: string,
  unit: string,
  measure: ReweightingMeasure["measure"],
): ReweightingMeasure => ({
  over: "reweightings",
  title,
  unit,
  direction: "none",
  aggregate: "mean",
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
    aggregate: "mean",
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
    aggregate: "mean",
    random: 0,
    version: 1,
    measure: ({ vector }, gradients) => conceptToClassAccuracy(vector, gradients),
  },
  tcav_score: {
    over: "pairs",
    title: "TCAV score",
    unit: "%",
    direction: "higher",
    aggregate: "mean",
    random: 50,
    version: 1,
    measure: ({ vector }, gradients) => tcavScore(vector, gradients),
  },
  recall_at_100: {
    over: "rankings",
    title: "Recall@100",
    unit: "%",
    direction: "higher",
    aggregate: "mean",
    random: 5,
    version: 1,
    measure: (scores, vl) => scaledRecall(scores, vl),
  },
  top1_accuracy: {
    over: "classes",
    title: "Top-1 accuracy",
    unit: "%",
    direction: "higher",
    aggregate: "mean",
    random: null,
    version: 1,
    scenes: false,
    measure: ({ correct }) => accuracy("", correct),
  },
  other_scene_accuracy: {
    over: "classes",
    title: "Accuracy before other scenes",
    unit: "%",
    direction: "higher",
    aggregate: "mean",
    random: null,
    version: 1,
    scenes: true,
    measure: ({ correct, preferred }) => accuracy("", correct.filter((_, i) => !preferred[i])),
  },
  worst_group_accuracy: {
    over: "classes",
    title: "Worst-group accuracy",
    unit: "%",
    direction: "higher",
    aggregate: "least",
    random: null,
    version: 1,
    scenes: true,
    measure: ({ correct, preferred }) => [
      ...accuracy("preferred scene", correct.filter((_, i) => preferred[i])),
      ...accuracy("other scenes", correct.filter((_, i) => !preferred[i])),
    ],
  },
  effective_sample_size: {
    over: "corrections",
    title: "Effective sample size of the weights",
    unit: "% of the images",
    direction: "none",
    aggregate: "mean",
    random: null,
    version: 1,
    diagnostic: "effectiveSampleSize",
    factor: 100,
  },
  weight_change: {
    over: "corrections",
    title: "Mean change of a weight from 1",
    unit: "%",
    direction: "none",
    aggregate: "mean",
    random: null,
    version: 1,
    diagnostic: "weightChange",
    factor: 100,
  },
  largest_possible_change: {
    over: "corrections",
    title: "Largest possible mean change of a weight",
    unit: "%",
    direction: "none",
    aggregate: "mean",
    random: null,
    version: 1,
    diagnostic: "largestPossibleChange",
    factor: 100,
  },
  image_activation: ofPictures("Activation", "cosine"),
  logit_before: ofPictures("Logit of the uncorrected model", "logit"),
  logit_after: ofPictures("Logit of the corrected model", "logit"),
  vl_activation: activation("VL model", (_, { vl }) => vl),
  aligned_activation: activation("VL model, aligned", (_, { aligned }) => aligned),
  target_activation: activation("Target model, pairs of probes", (_, { pairs }) => pairs),
  cav_activation: activation("CAV", ({ vector }, { features }) => cosines(vector, features)),
  start_cosine: {
    over: "starts",
    title: "Cosine of CAV and its random start",
    unit: "cosine",
    direction: "none",
    aggregate: "mean",
    random: 0,
    version: 1,
    measure: ({ vector }, start) => cosine(vector, start),
  },
  specificity: {
    over: "relations",
    title: "Specificity, AUC of related against unrelated classes",
    unit: "AUC x100",
    direction: "higher",
    aggregate: "mean",
    random: 50,
    version: 1,
    measure: ({ vector }, { related, unrelated }) => {
      const similarities = (classes: readonly Tensor[]) =>
        classes.map((gradients) => conceptToClassAccuracy(vector, gradients));
      const areas = { positives: similarities(related), negatives: similarities(unrelated) };
      return 100 * areaUnderRoc(areas);
    },
  },
  stability: {
    over: "seeds",
    title: "Angle between the CAVs of two seeds",
    unit: "degrees",
    direction: "lower",
    aggregate: "mean",
    random: 90,
    version: 1,
    measure: stability,
  },
  concept_overlap: {
    over: "other concepts",
    title: "Overlap with the CAVs of other concepts",
    unit: "absolute cosine x100",
    direction: "lower",
    aggregate: "mean",
    random: null,
    version: 1,
    measure: conceptOverlap,
  },
  significant_pairs: significance(
    "Pairs whose concept-to-class accuracy is significant",
    "concept_to_class_accuracy",
  ),
  significant_tcav_scores: significance("Pairs whose TCAV score is significant", "tcav_score"),
  probe_effective_sample_size: ofReweighting(
    "Effective sample size of DSR's weights",
    "% of the probes",
    (_, { share }) => 100 * share,
  ),
  dsr_angle: ofReweighting(
    "Angle between the CAVs with and without DSR",
    "degrees",
    (cav, { without }) => (180 / Math.PI) * angleBetween(cav, without),
  ),
  dsr_bound: ofReweighting(
    "What that angle allows DSR to gain or lose",
    "cosine x100",
    // |v . g - v' . g| <= |v - v'| = 2 sin(angle / 2) for vectors of unit length.
    (cav, { without }) => 200 * Math.sin(angleBetween(cav, without) / 2),
  ),
  dsr_gain: ofReweighting(
    "What DSR gains in concept-to-class accuracy",
    "cosine x100",
    (cav, { without, gradients }) =>
      conceptToClassAccuracy(cav.vector, gradients) -
      conceptToClassAccuracy(without.vector, gradients),
  ),
  truth_alignment: ofTruth("Alignment with the true direction", {
    direction: "higher",
    random: 0,
    measure: ({ concept, directions }) => {
      const { cosine } = directions.find((direction) => direction.concept === concept)!;
      return [{ direction: "", value: cosine }];
    },
  }),
  truth_leakage: ofTruth("Leakage to the true directions of other factors", {
    direction: "lower",
    random: null,
    measure: (truth) => meanOverOtherFactors(truth, ({ cosine }) => cosine),
  }),
  truth_cosine: ofTruth("Cosine with each true direction", {
    direction: "none",
    random: 0,
    measure: ({ directions }) =>
      directions.map(({ concept, cosine }) => ({ direction: concept, value: cosine })),
  }),
  truth_reliability: ofTruth("True directions of two halves of the contexts", {
    direction: "none",
    random: null,
    measure: ({ reliability }) => [{ direction: "", value: reliability }],
  }),
  truth_consistency: ofTruth("One context's difference with the others' mean", {
    direction: "none",
    random: null,
    measure: ({ consistency }) => [{ direction: "", value: consistency }],
  }),
  truth_entanglement: ofTruth("Leakage of the true directions themselves", {
    direction: "none",
    random: null,
    measure: (truth) => meanOverOtherFactors(truth, ({ ofTruth }) => ofTruth),
  }),
} as const satisfies Readonly<Record<string, Measure>>;

/** The name of a measure. */
export type MeasureName = keyof typeof measures;

/** The names of all measures. */
export const measureNames = Object.keys(measures) as [MeasureName, ...MeasureName[]];

/** The measure of a name. */
export function measureOf(name: MeasureName): Measure {
  return measures[name];
}

/** The mean absolute cosine with the true directions of other factors than the CAV's. */
function meanOverOtherFactors(
  { category, directions }: TruthOfCav,
  cosine: (direction: TruthOfCav["directions"][number]) => number,
): ReturnType<TruthMeasure["measure"]> {
  const others = directions.filter((direction) => direction.category !== category);
  const sum = others.reduce((sum, direction) => sum + Math.abs(cosine(direction)), 0);
  return [{ direction: "", value: sum / others.length }];
}

/** Accuracy of some images; no value where there are none. */
function accuracy(group: string, correct: readonly boolean[]): readonly WeightedValue[] {
  if (correct.length === 0) return [];
  const hits = correct.filter(Boolean).length;
  return [{ group, value: (100 * hits) / correct.length, weight: correct.length }];
}

/**
 * The angle between two vectors in radians, from the chord of their unit vectors: unlike the arc
 * cosine it is exact to the last digits of small angles.
 */
function angleBetween({ vector: a }: TrainedCav, { vector: b }: TrainedCav): number {
  const [ofA, ofB] = [norm(a), norm(b)];
  let [squares, sums] = [0, 0];
  for (let j = 0; j < a.length; j++) {
    squares += (a[j]! / ofA - b[j]! / ofB) ** 2;
    sums += (a[j]! / ofA + b[j]! / ofB) ** 2;
  }
  return 2 * Math.atan2(Math.sqrt(squares), Math.sqrt(sums));
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
