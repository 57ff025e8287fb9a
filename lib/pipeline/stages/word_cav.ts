import type { ConceptTextFeatures } from "../../activations/mod.ts";
import { type CavProblem, openEngine, trainCavs } from "../../cav/mod.ts";
import type { Examples } from "../../concepts/mod.ts";
import type { Method } from "../../config/mod.ts";
import { UserError } from "../../files/mod.ts";
import { createRandom, type Tensor } from "../../tensor/mod.ts";
import type { PlannedEngine } from "../plan_request.ts";
import {
  refOf,
  type StageContext,
  type StageKind,
  storedAs,
  tensorCodec,
  type TypedNode,
} from "../stage.ts";
import { type RowsNeeds, rowsOf } from "./_rows.ts";
import { normalisesText, textOf } from "./cavs.ts";
import type { WordProbes } from "./word_probes.ts";

/** What training one word's CAV needs; what the method does not look at is left out. */
export interface WordCavNeeds extends RowsNeeds {
  readonly probes?: WordProbes;
  readonly text?: ConceptTextFeatures;
  readonly shots?: Examples;
}

/** What a word's CAV depends on, besides the images. */
export interface WordCavInputs {
  readonly word: string;
  readonly method: Method;
  readonly seed: number;
  /** How many rows of the features come before those of the pool. */
  readonly labelled: "none" | "first source";
  readonly engine: PlannedEngine;
}

/** A vector [1, dim] and the threshold [1] on its inner product with a feature. */
export type WordCav = Readonly<Record<"vector" | "threshold", Tensor>>;

type Node = TypedNode<WordCavInputs, { readonly bucket: number }>;

const codec = tensorCodec(["vector", "threshold"]);

/** Trains the CAV of one word by one method and seed; no other word has a part in it. */
export const wordCavKind: StageKind<
  WordCavNeeds,
  WordCavInputs,
  { readonly bucket: number },
  WordCav
> = {
  name: "word_cav",
  version: 1,
  ...storedAs<WordCav>(codec),
  group: ({ needs, inputs: { engine, labelled }, how: { bucket } }) =>
    JSON.stringify([needs["features0"], needs["vl0"], labelled, engine, bucket]),
  run: async (nodes, context) => {
    const { store, signal, onProgress } = context;
    const engine = await openEngine(nodes[0]!.inputs.engine.name, nodes[0]!.inputs.engine);
    const alike = Map.groupBy(
      nodes,
      ({ inputs: { word, method } }) => JSON.stringify([word, method.base, normalisesText(method)]),
    );
    let done = 0;
    try {
      for (const ofWord of alike.values()) {
        const methods = [
          ...new Map(ofWord.map(({ inputs: { method } }) => [method.id, method])).values(),
        ];
        const problem = await problemOf(ofWord, context);
        const options = { engine, random: createRandom("cavs"), signal };
        const { vectors, thresholds } = await trainCavs(problem, methods, options);
        const dim = vectors.shape[3]!;
        for (const node of ofWord) {
          const { method: { id }, seed, word } = node.inputs;
          const at = methods.findIndex((method) => method.id === id) * problem.seeds.length +
            problem.seeds.indexOf(seed);
          const vector = vectors.data.slice(at * dim, (at + 1) * dim);
          const threshold = thresholds.data.slice(at, at + 1);
          requireFinite([vector, threshold], { word, method: id });
          const bytes = codec.encode({
            vector: { shape: [1, dim], data: vector },
            threshold: { shape: [1], data: threshold },
          });
          await store.write(refOf(node), bytes);
          onProgress(++done, nodes.length);
        }
      }
    } finally {
      await engine.close();
    }
  },
};

async function problemOf(
  nodes: readonly Node[],
  { need }: Pick<StageContext<WordCavNeeds>, "need">,
): Promise<CavProblem> {
  const [node] = nodes as readonly [Node];
  const { word, method, labelled } = node.inputs;
  const features = await rowsOf(node, "features", need);
  const first = labelled === "none" ? 0 : (await need(node, "features0")).shape[0];
  const { probes } = node.needs["probes"] === undefined
    ? { probes: [] }
    : await need(node, "probes");
  const seeds = [...new Set(nodes.map(({ inputs }) => inputs.seed))].sort((a, b) => a - b);
  const shots: Examples[] = [];
  for (const seed of seeds) {
    const ofSeed = nodes.find(({ inputs }) => inputs.seed === seed)!;
    shots.push(
      ofSeed.needs["shots"] === undefined
        ? { positives: [], negatives: [] }
        : await need(ofSeed, "shots"),
    );
  }
  const text = node.needs["text"] === undefined ? undefined : await need(node, "text");
  return {
    features,
    vlFeatures: await rowsOf(node, "vl", need),
    seeds,
    concepts: [{
      concept: word,
      probes: Int32Array.from(probes, (at) => first + at),
      positives: shots.map(({ positives }) => Int32Array.from(positives)),
      negatives: shots.map(({ negatives }) => Int32Array.from(negatives)),
      labelled: Int32Array.from({ length: first }, (_, image) => image),
      text: textOf(text, { index: 0, normalise: normalisesText(method) }),
    }],
  };
}

function requireFinite(
  numbers: readonly Float32Array[],
  { word, method }: { readonly word: string; readonly method: string },
): void {
  if (numbers.every((some) => some.every(Number.isFinite))) return;
  throw new UserError(
    `Training ${method} diverged at the word "${word}": its vector is not finite. Lower the ` +
      `learning rate in configs/methods/${method}.json, or check the features.`,
  );
}
