import type { Random, Tensor } from "../tensor/mod.ts";
import type { CavEngine } from "./engine.ts";
import type { FeatureRows } from "../activations/mod.ts";
import type { Shots } from "./_shots.ts";

/** What one concept brings to the training of its vectors. Images are rows of the features. */
export interface ConceptProblem {
  readonly concept: string;
  /** Unlabelled images on which language guides the vector (R). */
  readonly probes: Int32Array;
  /** Few-shot images with the concept, one list per seed (P_c); empty lists without labels. */
  readonly positives: readonly Int32Array[];
  /** Few-shot images without it, one list per seed (N_c). */
  readonly negatives: readonly Int32Array[];
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

/** What a trainer is asked for at a time: one concept by methods that can train together. */
export interface TrainerTask<M> {
  readonly concept: ConceptProblem;
  readonly methods: readonly M[];
  readonly seeds: readonly number[];
  /** The labelled images of these seeds; undefined for a concept without labels. */
  readonly shots: Shots | undefined;
}

/** The vectors of one concept by one method. */
export interface ConceptVectors {
  /** [seeds, dim] */
  readonly vectors: Tensor;
  /** One per seed. */
  readonly thresholds: readonly number[];
}

/**
 * Trains one concept: one result per method of the task. The bits of a vector do not depend on the
 * methods and seeds beside it.
 */
export type Trainer<M> = (task: TrainerTask<M>) => Promise<readonly ConceptVectors[]>;

/** The type of every method: a problem gives the trainer of its concepts. */
export type PrepareTrainer<M> = (problem: CavProblem, context: TrainingContext) => Trainer<M>;
