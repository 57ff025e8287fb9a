import type { FeatureRows } from "../activations/mod.ts";
import type { Correction } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import { type Random, range, row, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import {
  adam,
  buildConceptStep,
  buildCosines,
  buildSimilarity,
  buildTargets,
} from "./_concept_graph.ts";
import { scalar } from "./_graph_parts.ts";
import { drawSamples, rowsAtOnce, type Sample, type Samples } from "./_concept_samples.ts";
import { evenParts } from "./_minibatches.ts";
import type { Sessions } from "./_sessions.ts";

/** Answers of concept neurons, concepts times images, in memory at once. */
const answersAtOnce = 2 ** 22;

/** What a concept layer is trained on; rows are images. */
export interface ConceptLayerProblem {
  /** [images, dim] */
  readonly features: FeatureRows;
  /** What the VL model sees, of unit length: [images, width]. */
  readonly views: FeatureRows;
  /** Unit texts of the concepts, [concepts, width]. */
  readonly texts: Tensor;
}

/** How a concept layer is trained. */
export interface ConceptLayerOptions {
  readonly settings: Correction<"label_free_cbm">["hyperparameters"];
  readonly random: Random;
  readonly sessions: Sessions;
  readonly signal?: AbortSignal | undefined;
}

/** Neurons that answer as the VL model does when it is asked for concepts. */
export interface ConceptLayer {
  /** [concepts, dim] */
  readonly weight: Tensor;
  /** Of each neuron to the VL model on the held-out images. */
  readonly similarities: Float32Array;
  /** Steps after which it was best. */
  readonly steps: number;
}

/**
 * Trains concept neurons without labels: W f(x) over images should vary as the VL model's cosines
 * with the concepts' texts do, by the cubed cosine similarity of Label-free CBM (arXiv 2304.06129,
 * Section 3). Adam starts from a default linear layer; every `patience` steps the held-out images
 * judge, and the first look that brings no gain ends it. Concepts do not influence each other but in
 * when it ends, so they are trained in blocks.
 */
export async function trainConceptLayer(
  problem: ConceptLayerProblem,
  options: ConceptLayerOptions,
): Promise<ConceptLayer> {
  const state = startState(problem, options.random.split("start"));
  const samples = await drawSamples(problem, options);
  try {
    return await climb(state, { samples, ...problem, ...options });
  } finally {
    samples.release();
  }
}

/** Steps until the held-out images see no gain. */
async function climb(
  state: State,
  { samples, ...options }: ConceptLayerProblem & ConceptLayerOptions & {
    readonly samples: Samples;
  },
): Promise<ConceptLayer> {
  const { settings: { steps, patience }, signal } = options;
  let best: ConceptLayer | undefined;
  for (let step = 0; step < steps; step++) {
    signal?.throwIfAborted();
    await conceptStep(state, {
      sample: await samples.training(step),
      step,
      ...options,
    });
    if (step % patience !== 0 && step !== steps - 1) continue;
    const similarities = await similaritiesOf(state.weight, {
      sample: samples.heldOut,
      ...options,
    });
    if (!similarities.every(Number.isFinite)) throw diverged(step, options);
    if (best && mean(similarities) <= mean(best.similarities)) break;
    const weight = tensor(state.weight.shape, state.weight.data.slice());
    best = { weight, similarities, steps: step + 1 };
  }
  return best!;
}

interface State {
  readonly weight: Tensor;
  /** Adam's means of the gradient and of its square. */
  readonly first: Tensor;
  readonly second: Tensor;
}

/** PyTorch's default linear layer: uniform within 1 / sqrt(dim). */
function startState({ features, texts }: ConceptLayerProblem, random: Random): State {
  const shape = [texts.shape[0]!, features.shape[1]];
  const bound = 1 / Math.sqrt(features.shape[1]);
  const weight = zeros(shape);
  for (let i = 0; i < weight.data.length; i++) weight.data[i] = random.between(-bound, bound);
  return { weight, first: zeros(shape), second: zeros(shape) };
}

interface SampleOptions extends ConceptLayerOptions {
  readonly sample: Sample;
  readonly texts: Tensor;
}

async function conceptStep(
  state: State,
  { step, ...options }: SampleOptions & { readonly step: number },
): Promise<void> {
  const { sample, sessions, settings: { learningRate }, texts } = options;
  const session = await sessions.get("concept step", { terms: {}, build: buildConceptStep });
  const scalars = {
    stepLength: scalar(learningRate / (1 - adam.first ** (step + 1))),
    secondScale: scalar(Math.sqrt(1 - adam.second ** (step + 1))),
    perConcept: scalar(1 / texts.shape[0]!),
  };
  for await (const { concepts, targets } of conceptBlocks(options)) {
    const [weight, first, second] = [state.weight, state.first, state.second]
      .map((all) => rowRange(all, concepts)) as [Tensor, Tensor, Tensor];
    const after = await session.run(
      { features: sample.features, targets, weight, first, second, ...scalars },
      ["weightAfter", "firstAfter", "secondAfter"],
    );
    weight.data.set(after.weightAfter.data);
    first.data.set(after.firstAfter.data);
    second.data.set(after.secondAfter.data);
  }
}

async function similaritiesOf(weight: Tensor, options: SampleOptions): Promise<Float32Array> {
  const { sample, sessions } = options;
  const session = await sessions.get("similarity", { terms: {}, build: buildSimilarity });
  const similarities = new Float32Array(weight.shape[0]!);
  for await (const { concepts, targets } of conceptBlocks(options)) {
    const feeds = { features: sample.features, targets, weight: rowRange(weight, concepts) };
    const { similarity } = await session.run(feeds, ["similarity"]);
    similarities.set(similarity.data, concepts.from);
  }
  return similarities;
}

interface Concepts {
  readonly from: number;
  readonly to: number;
}

/** Blocks of concepts with their targets. A lone block keeps its targets with the sample. */
async function* conceptBlocks(
  { sample, texts, sessions }: SampleOptions,
): AsyncGenerator<{ readonly concepts: Concepts; readonly targets: Tensor }> {
  const session = await sessions.get("targets", { terms: {}, build: buildTargets });
  const images = sample.features.shape[0]!;
  const most = Math.max(2, Math.floor(answersAtOnce / images));
  const parts = evenParts(range(0, texts.shape[0]!), most);
  for (const part of parts) {
    const concepts = { from: part[0]!, to: part.at(-1)! + 1 };
    const targets = sample.targets ??
      (await session.run({ texts: rowRange(texts, concepts), views: sample.views }, ["targets"]))
        .targets;
    if (parts.length === 1) sample.targets = targets;
    yield { concepts, targets };
  }
}

/** Rows from .. to of a matrix as a view on its data. */
function rowRange(matrix: Tensor, { from, to }: Concepts): Tensor {
  const width = matrix.shape[1]!;
  return tensor([to - from, width], matrix.data.subarray(from * width, to * width));
}

/**
 * The mean of the five highest cosines of each concept with the images, [concepts]: how surely the VL
 * model sees it anywhere.
 */
export async function highestActivations(
  { views, texts }: Omit<ConceptLayerProblem, "features">,
  { sessions, signal }: Pick<ConceptLayerOptions, "sessions" | "signal">,
): Promise<Float64Array> {
  const session = await sessions.get("cosines", { terms: {}, build: buildCosines });
  const concepts = texts.shape[0]!;
  const highest = Array.from({ length: concepts }, () => [] as number[]);
  for (const rows of evenParts(range(0, views.shape[0]), rowsAtOnce)) {
    signal?.throwIfAborted();
    const { cosines } = await session.run({ texts, views: await views.take(rows) }, ["cosines"]);
    for (const [concept, top] of highest.entries()) {
      for (const cosine of row(cosines, concept)) {
        if (top.length === 5 && cosine <= top[4]!) continue;
        top.push(cosine);
        top.sort((a, b) => b - a);
        top.length = Math.min(top.length, 5);
      }
    }
  }
  return Float64Array.from(highest, mean);
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

function diverged(step: number, { settings: { learningRate } }: ConceptLayerOptions): UserError {
  return new UserError(
    `Training a concept layer diverged by step ${
      step + 1
    }: a similarity is not finite. Lower its ` +
      `learning rate, now ${learningRate}, or leave out concepts that the VL model sees alike ` +
      `everywhere.`,
  );
}
