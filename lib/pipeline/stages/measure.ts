import type { CavSet } from "../cav/mod.ts";
import type { ConceptMetric } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import { conceptAccuracy, conceptToClassAccuracy, tcavScore } from "../metrics/mod.ts";
import { dot, row, type Tensor, tensor } from "../tensor/mod.ts";
import { type ConceptSet, type Examples, testExamples } from "../concepts/mod.ts";
import type { TargetModel } from "./models.ts";
import type { ConceptClassPair } from "./pairs_stage.ts";
import { artifactStage, jsonCodec, type Stage } from "./stage.ts";

/** One measured value of one CAV. */
export interface Measurement {
  readonly method: string;
  readonly seed: number;
  readonly concept: string;
  /** The class of a pair metric, else "". */
  readonly class: string;
  readonly metric: ConceptMetric;
  readonly value: number;
}

/** What the measurements of a backbone need. */
export interface MeasurementsStageOptions {
  readonly target: TargetModel;
  readonly concepts: Stage<ConceptSet>;
  readonly pairs: Stage<readonly ConceptClassPair[]>;
  readonly features: Stage<Tensor>;
  readonly cavs: Stage<CavSet>;
}

/** Every metric of every CAV of one backbone. */
export function measurementsStage(
  { target, concepts, pairs, features, cavs }: MeasurementsStageOptions,
): Stage<readonly Measurement[]> {
  return artifactStage({
    id: `measurements ${target.name}`,
    stage: "measurements",
    version: 1,
    inputs: {},
    needs: [concepts, pairs, features, cavs],
    work: "concept accuracy, concept-to-class accuracy and TCAV score",
    codec: jsonCodec(),
    compute: async (context) => {
      const { valueOf } = context;
      const weight = await target.lastLayerWeight(context);
      requireClasses(await valueOf(pairs), { target, classes: weight.shape[0]! });
      return measure(await valueOf(cavs), {
        concepts: await valueOf(concepts),
        pairs: await valueOf(pairs),
        features: await valueOf(features),
        gradients: weight,
      });
    },
  });
}

function requireClasses(
  pairs: readonly ConceptClassPair[],
  { target, classes }: { readonly target: TargetModel; readonly classes: number },
): void {
  const beyond = pairs.find(({ classIndex }) => classIndex >= classes);
  if (beyond === undefined) return;
  throw new UserError(
    `Backbone ${target.name} has ${classes} logits, but the dataset's class ${beyond.class} is ` +
      `number ${beyond.classIndex + 1}. Use a model of that dataset's classes.`,
  );
}

/**
 * Measures a set of CAVs: concept accuracy on the images that were no shots of the seed, and per
 * pair of concept and class the cosine and the sign between CAV and gradient.
 *
 * @param options.features of the concepts' images, [images, D].
 * @param options.gradients of the logits, [classes, D], the same at every image.
 */
export function measure(
  cavs: CavSet,
  { concepts, pairs, features, gradients }: {
    readonly concepts: ConceptSet;
    readonly pairs: readonly ConceptClassPair[];
    readonly features: Tensor;
    readonly gradients: Tensor;
  },
): Measurement[] {
  const pairsOf = Map.groupBy(pairs, ({ concept }) => concept);
  const measurements: Measurement[] = [];
  let index = 0;
  for (const method of cavs.methods) {
    for (const [seedIndex, seed] of cavs.seeds.entries()) {
      for (const concept of concepts.concepts) {
        const vector = vectorAt(cavs, index);
        const threshold = cavs.thresholds.data[index]!;
        index++;
        const common = { method, seed, concept: concept.name };
        const test = testExamples(concept, concept.shots[seedIndex]!);
        measurements.push({
          ...common,
          class: "",
          metric: "concept_accuracy",
          value: conceptAccuracy(scores(vector, test, features), threshold),
        });
        for (const pair of pairsOf.get(concept.name) ?? []) {
          const gradient = row(gradients, pair.classIndex);
          const ofPair = { ...common, class: pair.class };
          measurements.push(
            {
              ...ofPair,
              metric: "concept_to_class_accuracy",
              value: conceptToClassAccuracy(vector, gradient),
            },
            {
              ...ofPair,
              metric: "tcav_score",
              value: tcavScore(vector, tensor([1, gradient.length], gradient)),
            },
          );
        }
      }
    }
  }
  return measurements;
}

function vectorAt({ vectors }: CavSet, index: number): Float32Array {
  const width = vectors.shape.at(-1)!;
  return vectors.data.subarray(index * width, (index + 1) * width);
}

function scores(vector: Float32Array, { positives, negatives }: Examples, features: Tensor) {
  const scoreOf = (image: number) => dot(vector, row(features, image));
  return { positives: positives.map(scoreOf), negatives: negatives.map(scoreOf) };
}
