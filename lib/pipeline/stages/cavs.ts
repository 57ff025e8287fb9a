import {
  type ConceptTextFeatures,
  type FeatureRows,
  hasRowsBlock,
  rowsPerBlock,
  writeRowsBlock,
} from "../../activations/mod.ts";
import {
  averagePrompts,
  type CavBlock,
  type CavProblem,
  type CavRequest,
  conceptBlocks,
  openEngine,
  trainBlocks,
} from "../../cav/mod.ts";
import type { ConceptImageSet, Examples } from "../../concepts/mod.ts";
import type { Method } from "../../config/mod.ts";
import { UserError } from "../../files/mod.ts";
import type { ArtifactRef, Store } from "../../store/mod.ts";
import {
  createRandom,
  type Random,
  readSafetensors,
  row,
  tensor,
  writeSafetensors,
} from "../../tensor/mod.ts";
import type { PlannedEngine } from "../plan_request.ts";
import {
  inSlice,
  markComplete,
  refOf,
  type StageContext,
  type StageKind,
  type StageNode,
  storedInParts,
  type TypedNode,
} from "../stage.ts";
import { type RowsNeeds, rowsOf } from "./_rows.ts";
import { loadRows } from "./features.ts";

/** The CAVs of one method and seed, in the order of the concepts. */
export interface Cavs {
  /** [concepts, dim]. */
  readonly vectors: FeatureRows;
  /** Where a score splits positives from negatives, by concept. */
  readonly thresholds: Float32Array;
}

/** What training needs; what the method does not look at is left out. */
export interface CavsNeeds extends RowsNeeds {
  readonly concepts: ConceptImageSet;
  /** None of concepts without labelled images. */
  readonly shots?: readonly Examples[];
  readonly probes?: readonly (readonly number[])[];
  readonly text?: ConceptTextFeatures;
}

/** What CAVs depend on, besides the images. */
export interface CavsInputs {
  /** The method with its hyper-parameters, without its title. */
  readonly method: Method;
  readonly seed: number;
  /** Of a method that looks at no probe, which takes as many steps as if it did. */
  readonly probeCount?: number;
  readonly engine: PlannedEngine;
}

/**
 * The number of shots, and of their labels the share that is wrong, by which nodes are grouped; the
 * shots themselves are a need where there are any.
 */
export interface CavsHow {
  readonly shots: number | null;
  readonly labelNoise?: number;
}

/**
 * Trained CAVs, one node for each method and seed. Nodes of one backbone with the same probes and
 * shots share their work; a vector does not depend on which others train beside it.
 */
export const cavsKind: StageKind<CavsNeeds, CavsInputs, CavsHow, Cavs> = {
  name: "cavs",
  version: 6,
  inBlocks: true,
  ...storedInParts(loadCavs),
  // One seed has one set of shots, so nodes that differ in the number of shots or in their labels
  // train apart; so do those whose prompts are averaged otherwise.
  group: ({ needs, inputs: { method, engine, probeCount }, how: { shots, labelNoise = 0 } }) =>
    JSON.stringify([
      needs["features0"],
      needs["probes"] ?? probeCount ?? null,
      shots,
      labelNoise,
      normalisesText(method),
      engine,
    ]),
  run: async (nodes, context) => {
    const { store, signal, onProgress, slice } = context;
    const problem = await assembleProblem(nodes, context);
    const requests = (await missingRequests(nodes, { problem, store }))
      .filter(({ block }) => inSlice(block, slice));
    const engine = await openEngine(nodes[0]!.inputs.engine.name, nodes[0]!.inputs.engine);
    try {
      let done = 0;
      const training = { engine, random: trainingRandom(), signal };
      for await (const trained of trainBlocks(problem, requests, training)) {
        const { node } = requests.find((request) =>
          request.method === trained.method && request.seed === trained.seed
        )!;
        await writeBlock(node, trained, store);
        onProgress(++done, requests.length);
      }
    } finally {
      await engine.close();
    }
    if (slice !== undefined) return;
    for (const node of nodes) await markComplete(node, { store, count: problem.concepts.length });
  },
};

/** The stream of all random numbers of training. */
export function trainingRandom(): Random {
  return createRandom("cavs");
}

type Node = TypedNode<CavsInputs, CavsHow>;

/** The blocks of each node that are not in the store. */
async function missingRequests(
  nodes: readonly Node[],
  { problem: { concepts }, store }: { readonly problem: CavProblem; readonly store: Store },
): Promise<(CavRequest & { readonly node: Node })[]> {
  // Nodes of one method share one object, by which training knows it.
  const methods = new Map(nodes.map(({ inputs: { method } }) => [JSON.stringify(method), method]));
  const requests = [];
  for (const block of conceptBlocks(concepts).keys()) {
    for (const node of nodes) {
      if (await isBlockStored(node, { block, store })) continue;
      const method = methods.get(JSON.stringify(node.inputs.method))!;
      requests.push({ node, method, seed: node.inputs.seed, block });
    }
  }
  return requests;
}

async function isBlockStored(
  node: Node,
  { block, store }: { readonly block: number; readonly store: Store },
): Promise<boolean> {
  return await store.has(thresholdsRef(node, block)) &&
    await hasRowsBlock({ store, ref: refOf(node), start: block * rowsPerBlock });
}

async function writeBlock(
  node: Node,
  { block, concepts, vectors, thresholds }: CavBlock,
  store: Store,
): Promise<void> {
  for (const [index, concept] of concepts.entries()) {
    requireFinite(row(vectors, index), {
      node,
      concept,
      threshold: thresholds.data[index]!,
    });
  }
  await writeRowsBlock(vectors, { store, ref: refOf(node), start: block * rowsPerBlock });
  const bytes = writeSafetensors(new Map([["thresholds", thresholds]]), {}, { dtype: "F32" });
  await store.write(thresholdsRef(node, block), bytes);
}

function thresholdsRef(node: StageNode, block: number): ArtifactRef {
  return { ...refOf(node), part: `thresholds-${String(block).padStart(4, "0")}` };
}

function requireFinite(
  vector: Float32Array,
  { node, concept, threshold }: {
    readonly node: Node;
    readonly concept: string;
    readonly threshold: number;
  },
): void {
  if (Number.isFinite(threshold) && vector.every(Number.isFinite)) return;
  throw new UserError(
    `Training "${node.id}" diverged at concept "${concept}": its vector is not finite. Lower the ` +
      `learning rate of the method, or check the features.`,
  );
}

async function assembleProblem(
  nodes: readonly Node[],
  { need }: Pick<StageContext<CavsNeeds>, "need">,
): Promise<CavProblem> {
  // Of the nodes, the one that looks at most sees all that any of them sees.
  const node = nodes.toSorted((a, b) =>
    Object.keys(b.needs).length - Object.keys(a.needs).length
  )[0]!;
  const { concepts } = await need(node, "concepts");
  const probes = node.needs["probes"] === undefined ? undefined : await need(node, "probes");
  const text = node.needs["text"] === undefined ? undefined : await need(node, "text");
  const { probeCount = 0 } = node.inputs;
  const ofSeeds = await shotsBySeed(nodes, need);
  const seeds = [...ofSeeds.keys()].sort((a, b) => a - b);
  return {
    features: await rowsOf(node, "features", need),
    vlFeatures: await rowsOf(node, "vl", need),
    seeds,
    concepts: concepts.map((concept, index) => {
      const drawn = seeds.map((seed) => ofSeeds.get(seed)![index] ?? noExamples);
      return {
        concept: concept.name,
        probes: probes ? Int32Array.from(probes[index]!) : new Int32Array(probeCount),
        positives: drawn.map(({ positives }) => Int32Array.from(positives)),
        negatives: drawn.map(({ negatives }) => Int32Array.from(negatives)),
        labelled: Int32Array.of(...concept.positives, ...concept.negatives),
        text: textOf(text, { index, normalise: normalisesText(node.inputs.method) }),
      };
    }),
  };
}

async function shotsBySeed(
  nodes: readonly Node[],
  need: StageContext<CavsNeeds>["need"],
): Promise<ReadonlyMap<number, readonly Examples[]>> {
  const shots = new Map<number, readonly Examples[]>();
  for (const node of nodes) {
    const ofSeed = node.needs["shots"] === undefined ? [] : (await need(node, "shots"))!;
    shots.set(node.inputs.seed, ofSeed);
  }
  return shots;
}

const noExamples: Examples = { positives: [], negatives: [] };

/** What language says of one concept, as a method of one way of averaging takes it. */
export function textOf(
  text: ConceptTextFeatures | undefined,
  { index, normalise }: { readonly index: number; readonly normalise: boolean },
): CavProblem["concepts"][number]["text"] {
  if (text === undefined) return { prompt: new Float32Array(), ensemble: new Float32Array() };
  const { prompt, ensemble } = text;
  const [, prompts = 0, width = 0] = ensemble.shape;
  return {
    prompt: row(prompt, index),
    ensemble: averagePrompts(tensor([prompts, width], row(ensemble, index)), { normalise }),
  };
}

/** Whether prompts are normalised before they are averaged, as CLIP's own ensembles are. */
export function normalisesText(method: Method): boolean {
  return method.base === "lg_cav" ? method.hyperparameters.normaliseText : true;
}

async function loadCavs(
  node: StageNode,
  options: { readonly store: Store; readonly count: number },
): Promise<Cavs | undefined> {
  const { store, count } = options;
  const thresholds = new Float32Array(count);
  for (let start = 0; start < count; start += rowsPerBlock) {
    const bytes = await store.read(thresholdsRef(node, start / rowsPerBlock));
    if (bytes === undefined) return undefined;
    thresholds.set(readSafetensors(bytes).tensors.get("thresholds")!.data, start);
  }
  const vectors = await loadRows(node, options);
  return vectors && { vectors, thresholds };
}
