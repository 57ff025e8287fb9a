import { rowsPerBlock } from "../activations/mod.ts";
import { type Method, takesLabels } from "../config/mod.ts";
import { type Random, row, type Tensor, zeros } from "../tensor/mod.ts";
import { conceptGradient } from "./concept_gradient.ts";
import type {
  CavProblem,
  ConceptProblem,
  ConceptVectors,
  Trainer,
  TrainerTask,
  TrainingContext,
} from "./concept_problem.ts";
import { fastCav } from "./fast_cav.ts";
import { lgCav } from "./lg_cav.ts";
import { logisticCav } from "./logistic_cav.ts";
import { meanDifference } from "./mean_difference.ts";
import { oaTcav } from "./oa_tcav.ts";
import { originalCav } from "./original_cav.ts";
import { randomCav } from "./random_cav.ts";
import { ridgeCav } from "./ridge_cav.ts";
import { centreShots, type Origin, shotsOf, startStream, startVectors } from "./_shots.ts";
import { svmCav } from "./svm_cav.ts";
import { textToConcept } from "./text_to_concept.ts";

/** Concepts per block: the unit that is stored and resumed. It does not change the vectors. */
const blockSize = rowsPerBlock;

/** Concepts that a trainer is given at a time: fewer where features are long, to hold few of them. */
const conceptsTogether = (dim: number) => Math.max(1, Math.min(8, Math.floor(2 ** 15 / dim)));

/** Vectors to train: those of one method and seed for a block of concepts. */
export interface CavRequest {
  readonly method: Method;
  readonly seed: number;
  /** A number of `conceptBlocks`. */
  readonly block: number;
}

/** Vectors that have been trained: an image x is positive when v . f(x) > threshold. */
export interface CavBlock extends CavRequest {
  readonly concepts: readonly string[];
  /** [concepts, dim] */
  readonly vectors: Tensor;
  /** [concepts] */
  readonly thresholds: Tensor;
}

/** The vectors of all methods, seeds and concepts. */
export interface CavSet {
  readonly methods: readonly string[];
  readonly seeds: readonly number[];
  readonly concepts: readonly string[];
  /** [methods, seeds, concepts, dim] */
  readonly vectors: Tensor;
  /** [methods, seeds, concepts] */
  readonly thresholds: Tensor;
}

/** How to train. */
export interface TrainingOptions extends TrainingContext {
  /** Stops between a few concepts; the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Concepts in blocks, the last one shorter: requests number them in this order. */
export function conceptBlocks<T>(concepts: readonly T[]): readonly (readonly T[])[] {
  const count = Math.ceil(concepts.length / blockSize);
  return Array.from(
    { length: count },
    (_, i) => concepts.slice(i * blockSize, (i + 1) * blockSize),
  );
}

/** All that a problem and some methods have to train, block by block. */
export function allRequests(problem: CavProblem, methods: readonly Method[]): CavRequest[] {
  const blocks = [...conceptBlocks(problem.concepts).keys()];
  return blocks.flatMap((block) =>
    methods.flatMap((method) => problem.seeds.map((seed) => ({ method, seed, block })))
  );
}

/**
 * Trains concept activation vectors for a caller that stores what it gets and asks only for what it
 * lacks. Blocks come in the order of their first request; what is asked of one block trains
 * together, and comes when all of it is done. The bits of a vector do not depend on what else is
 * asked for; nor on the other concepts, except by Text-to-Concept and OA-TCAV, which look at the
 * probes of all, and by SpLiCE, whose vocabulary they are.
 *
 * @throws {RangeError} when a concept lacks the images that a method takes, or when the problem has
 * no such block or seed.
 */
export async function* trainBlocks(
  problem: CavProblem,
  requests: readonly CavRequest[],
  { signal, ...context }: TrainingOptions,
): AsyncGenerator<CavBlock> {
  const blocks = conceptBlocks(problem.concepts);
  const train = prepareAll(problem, context);
  const together = conceptsTogether(problem.features.shape[1]);
  for (const [block, ofBlock] of Map.groupBy(requests, ({ block }) => block)) {
    const concepts = blocks[block];
    if (!concepts) throw new RangeError(`Block ${block} of ${blocks.length} blocks of concepts.`);
    const tasks = tasksOf(problem, ofBlock);
    const trained = ofBlock.map((request) => emptyBlock(problem, request, concepts));
    for (let first = 0; first < concepts.length; first += together) {
      for (const { methods, seeds, into } of tasks) {
        signal?.throwIfAborted();
        const some = concepts.slice(first, first + together);
        const results = await train(some, { methods, seeds });
        results.forEach((ofMethods, i) =>
          ofMethods.forEach(({ vectors, thresholds }, m) =>
            seeds.forEach((_, s) => {
              const target = trained[into[s]![m]!]!;
              row(target.vectors, first + i).set(row(vectors, s));
              target.thresholds.data[first + i] = thresholds[s]!;
            })
          )
        );
      }
    }
    yield* trained;
  }
}

/** Trains the vectors of all methods, seeds and concepts. */
export async function trainCavs(
  problem: CavProblem,
  methods: readonly Method[],
  options: TrainingOptions,
): Promise<CavSet> {
  const trained = trainBlocks(problem, allRequests(problem, methods), options);
  return joinCavBlocks(await Array.fromAsync(trained));
}

/**
 * Blocks joined along their methods, seeds and concepts, each in the order of first appearance.
 *
 * @throws {RangeError} when a method lacks a seed or a block that another has.
 */
export function joinCavBlocks(blocks: readonly CavBlock[]): CavSet {
  const methods = [...new Set(blocks.map(({ method }) => method))];
  const seeds = [...new Set(blocks.map(({ seed }) => seed))];
  const parts = [...Map.groupBy(blocks, ({ block }) => block).values()];
  const concepts = parts.flatMap(([first]) => first!.concepts);
  const dim = blocks[0]?.vectors.shape[1] ?? 0;
  const vectors = zeros([methods.length, seeds.length, concepts.length, dim]);
  const thresholds = zeros([methods.length, seeds.length, concepts.length]);
  let start = 0;
  for (const part of parts) {
    if (part.length !== methods.length * seeds.length) {
      throw new RangeError(
        `Joining blocks of ${methods.length} methods and ${seeds.length} seeds: block ` +
          `${part[0]!.block} is there ${part.length} times, not once for each.`,
      );
    }
    for (const block of part) {
      const set = methods.indexOf(block.method) * seeds.length + seeds.indexOf(block.seed);
      vectors.data.set(block.vectors.data, (set * concepts.length + start) * dim);
      thresholds.data.set(block.thresholds.data, set * concepts.length + start);
    }
    start += part[0]!.concepts.length;
  }
  return { methods: methods.map(({ id }) => id), seeds, concepts, vectors, thresholds };
}

/** What is asked of a block, as products of methods and seeds. */
interface Task {
  readonly methods: readonly Method[];
  readonly seeds: readonly number[];
  /** The number of the request of each seed and method. */
  readonly into: readonly (readonly number[])[];
}

/** Seeds that ask for the same methods train together. */
function tasksOf(problem: CavProblem, requests: readonly CavRequest[]): Task[] {
  const perSeed = Map.groupBy(requests.keys(), (index) => requests[index]!.seed);
  const all = [...new Set(requests.map(({ method }) => method))];
  const alike = Map.groupBy(perSeed, ([seed, indices]) => {
    if (!problem.seeds.includes(seed)) {
      throw new RangeError(`Training vectors of seed ${seed}: the problem has [${problem.seeds}].`);
    }
    return String(indices.map((index) => all.indexOf(requests[index]!.method)));
  });
  return [...alike.values()].map((seeds) => ({
    methods: seeds[0]![1].map((index) => requests[index]!.method),
    seeds: seeds.map(([seed]) => seed),
    into: seeds.map(([, indices]) => indices),
  }));
}

/** One trainer for methods of any base, with its results in their order. */
function prepareAll(problem: CavProblem, context: TrainingContext) {
  const trainers = {
    original_cav: originalCav(problem, context),
    concept_gradient: conceptGradient(problem, context),
    random_cav: randomCav(problem, context),
    text_to_concept: textToConcept(problem, context),
    oa_tcav: oaTcav(problem, context),
    lg_cav: lgCav(problem, context),
    mean_difference: meanDifference(problem, context),
    fast_cav: fastCav(problem, context),
    ridge_cav: ridgeCav(problem, context),
    svm_cav: svmCav(problem, context),
    logistic_cav: logisticCav(problem, context),
  };
  return async (
    concepts: readonly ConceptProblem[],
    { methods, seeds }: Pick<Task, "methods" | "seeds">,
  ): Promise<ConceptVectors[][]> => {
    const shared = await Promise.all(
      concepts.map((concept) => sharedOf(problem, concept, { seeds, random: context.random })),
    );
    const results: ConceptVectors[][] = concepts.map(() => []);
    for (const indices of Map.groupBy(methods.keys(), (m) => togetherKey(methods[m]!)).values()) {
      const alike = indices.map((index) => methods[index]!);
      const train = trainers[alike[0]!.base] as Trainer<Method>;
      const withLabels = takesLabels(alike[0]!);
      const trained = await train(
        shared.map(({ shots, ...task }) => ({
          ...task,
          methods: alike,
          seeds,
          shots: withLabels ? shots : undefined,
        })),
      );
      trained.forEach((ofConcept, i) =>
        indices.forEach((index, m) => results[i]![index] = ofConcept[m]!)
      );
    }
    return results;
  };
}

/** What the methods share of a concept. */
async function sharedOf(
  problem: CavProblem,
  concept: ConceptProblem,
  { seeds, random }: { readonly seeds: readonly number[]; readonly random: Random },
): Promise<Omit<TrainerTask<Method>, "methods" | "seeds">> {
  const shots = await shotsOf(problem, concept, seeds);
  const dim = problem.features.shape[1];
  const stream = startStream(random, concept.concept);
  return {
    concept,
    shots,
    centred: remembered((origin: Origin) => centreShots(shots!, origin)),
    start: remembered((length: number) => startVectors({ seeds, dim, length }, stream)),
  };
}

/** A function that is run once for each argument. */
function remembered<A, R>(of: (argument: A) => R): (argument: A) => R {
  const results = new Map<A, R>();
  return (argument) => {
    if (!results.has(argument)) results.set(argument, of(argument));
    return results.get(argument)!;
  };
}

/** Methods with equal keys train together: of one base, alike in how descent runs and in labels. */
function togetherKey(method: Method): string {
  const { base, hyperparameters } = method;
  if (!("learningRate" in hyperparameters)) return base;
  const { learningRate, epochs, batchSize, momentum, weightDecay, initialLength, origin } =
    hyperparameters;
  const descent = [learningRate, epochs, batchSize, momentum, weightDecay, initialLength, origin];
  return [base, takesLabels(method), ...descent].join(" ");
}

function emptyBlock(
  { features }: CavProblem,
  request: CavRequest,
  concepts: readonly ConceptProblem[],
): CavBlock {
  return {
    ...request,
    concepts: concepts.map(({ concept }) => concept),
    vectors: zeros([concepts.length, features.shape[1]]),
    thresholds: zeros([concepts.length]),
  };
}
