import type { Method } from "../config/mod.ts";
import type { Random, Tensor } from "../tensor/mod.ts";
import type { CavEngine } from "./engine.ts";
import type { FeatureRows } from "../activations/mod.ts";
import type { CentredShots, Origin, Shots } from "./_shots.ts";

/** What one concept brings to the training of its vectors. Images are rows of the features. */
export interface ConceptProblem {
  readonly concept: string;
  /** Unlabelled images on which language guides the vector (R). */
  readonly probes: Int32Array;
  /** Few-shot images with the concept, one list per seed (P_c); empty lists without labels. */
  readonly positives: readonly Int32Array[];
  /** Few-shot images without it, one list per seed (N_c). */
  readonly negatives: readonly Int32Array[];
  /**
   * All images that are labelled for it: those that are no shots of a seed judge that seed's vector,
   * so no method looks at them.
   */
  readonly labelled: Int32Array;
  /** The VL model's text features: of "a photo of the c", and the average over the prompts. */
  readonly text: { readonly prompt: Float32Array; readonly ensemble: Float32Array };
}

/** Concepts to train vectors for, with the features of all images of both models. */
export interface CavProblem {
  /** Of the target model. */
  readonly features: FeatureRows;
  /** Of the VL model. */
  readonly vlFeatures: FeatureRows;
  readonly concepts: readonly ConceptProblem[];
  /** The seeds that the concepts' lists of positives and negatives belong to, in their order. */
  readonly seeds: readonly number[];
}

/** What training takes beside the problem and the methods. */
export interface TrainingContext {
  readonly engine: CavEngine;
  /** Streams are split off by concept and seed, so results do not depend on the others. */
  readonly random: Random;
}

/** What a trainer is asked for: one concept by methods that can train together. */
export interface TrainerTask<M> {
  readonly concept: ConceptProblem;
  readonly methods: readonly M[];
  readonly seeds: readonly number[];
  /** The labelled images of these seeds; undefined for a concept without labels. */
  readonly shots: Shots | undefined;
  /** The labelled images, which there must be, counted from an origin. */
  readonly centred: (origin: Origin) => CentredShots;
  /** A random vector of that length for each seed to start from, [seeds, dim]. */
  readonly start: (length: number) => Tensor;
}

/** The vectors of one concept by one method. */
export interface ConceptVectors {
  /** [seeds, dim] */
  readonly vectors: Tensor;
  /** One per seed. */
  readonly thresholds: readonly number[];
}

/**
 * Trains some concepts by the same methods and seeds: for each concept, one result per method. The
 * bits of a vector do not depend on the concepts, methods and seeds beside it.
 */
export type Trainer<M> = (
  tasks: readonly TrainerTask<M>[],
) => Promise<readonly (readonly ConceptVectors[])[]>;

/** A trainer that takes some concepts together, but one method after the other. */
export function methodByMethod<M extends Method>(
  train: (tasks: readonly TrainerTask<M>[], method: M) => Promise<readonly ConceptVectors[]>,
): Trainer<M> {
  return async (tasks) => {
    const results: ConceptVectors[][] = tasks.map(() => []);
    for (const method of tasks[0]?.methods ?? []) {
      const ofTasks = await train(tasks, method);
      ofTasks.forEach((result, i) => results[i]!.push(result));
    }
    return results;
  };
}

/** A trainer that takes one concept after the other, but all methods together. */
export function conceptByConcept<M>(
  train: (task: TrainerTask<M>) => Promise<readonly ConceptVectors[]>,
): Trainer<M> {
  return async (tasks) => {
    const results: (readonly ConceptVectors[])[] = [];
    for (const task of tasks) results.push(await train(task));
    return results;
  };
}

/** The type of every method: a problem gives the trainer of its concepts. */
export type PrepareTrainer<M> = (problem: CavProblem, context: TrainingContext) => Trainer<M>;
