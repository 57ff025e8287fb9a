import { concatenateRows, type ConceptTextFeatures } from "../activations/mod.ts";
import {
  averagePrompts,
  type CavProblem,
  type CavSet,
  conceptBlocks,
  joinCavSets,
  openEngine,
  trainBlocks,
} from "../cav/mod.ts";
import type { Method } from "../config/mod.ts";
import type { ArtifactRef, Json, Store } from "../store/mod.ts";
import {
  createRandom,
  readSafetensors,
  row,
  type Tensor,
  tensor,
  writeSafetensors,
} from "../tensor/mod.ts";
import type { ConceptSet } from "../concepts/mod.ts";
import type { PlannedEngine } from "./plan_spec.ts";
import { partedStage, type Stage, type StageContext } from "./stage.ts";

/** What the training of a backbone's CAVs needs. */
export interface CavsStageOptions {
  readonly backbone: string;
  readonly methods: readonly Method[];
  readonly seeds: readonly number[];
  readonly concepts: Stage<ConceptSet>;
  readonly text: Stage<ConceptTextFeatures>;
  readonly probes: Stage<readonly (readonly number[])[]>;
  /** Features of the concepts' images and, below them, of the probe pool; by target and VL model. */
  readonly features: readonly [Stage<Tensor>, Stage<Tensor>];
  readonly vlFeatures: readonly [Stage<Tensor>, Stage<Tensor>];
  /** Whether a prompt's text feature has unit length before the ensemble is averaged. */
  readonly normaliseText: boolean;
  readonly engine: PlannedEngine;
}

/** The CAVs of every method, seed and concept on one backbone, stored by blocks of concepts. */
export function cavsStage(options: CavsStageOptions): Stage<CavSet> {
  const { backbone, methods, seeds, concepts, text, probes, features, vlFeatures } = options;
  const { normaliseText, engine } = options;
  return partedStage({
    id: `cavs ${backbone}`,
    stage: "cavs",
    version: 2,
    inputs: { methods, seeds, normaliseText, engine } as unknown as Json,
    needs: [concepts, text, probes, ...features, ...vlFeatures],
    work: `${methods.length} methods x ${seeds.length} seeds for each concept`,
    loadParts: async (store, { ref, count }) => {
      const stored = await storedBlocks(store, ref, count);
      return stored.includes(undefined) ? undefined : joinCavSets(stored as CavSet[]);
    },
    compute: async (context, ref) => {
      const value = await train(await assembleProblem(options, context), { options, context, ref });
      return { value, count: conceptBlocks(value.concepts).length };
    },
  });
}

async function assembleProblem(
  { concepts, text, probes, features, vlFeatures, seeds, normaliseText }: CavsStageOptions,
  { valueOf }: StageContext,
): Promise<CavProblem> {
  const { prompt, ensemble } = await valueOf(text);
  const [, prompts = 0, width = 0] = ensemble.shape;
  const chosen = await valueOf(probes);
  return {
    features: concatenateRows(await Promise.all(features.map(valueOf))),
    vlFeatures: concatenateRows(await Promise.all(vlFeatures.map(valueOf))),
    seeds,
    concepts: (await valueOf(concepts)).concepts.map(({ name, shots }, index) => ({
      concept: name,
      probes: Int32Array.from(chosen[index]!),
      positives: shots.map(({ positives }) => Int32Array.from(positives)),
      negatives: shots.map(({ negatives }) => Int32Array.from(negatives)),
      text: {
        prompt: row(prompt, index),
        ensemble: averagePrompts(tensor([prompts, width], row(ensemble, index)), {
          normalise: normaliseText,
        }),
      },
    })),
  };
}

async function train(
  problem: CavProblem,
  { options: { methods, engine: planned }, context, ref }: {
    readonly options: CavsStageOptions;
    readonly context: StageContext;
    readonly ref: ArtifactRef;
  },
): Promise<CavSet> {
  const { store, signal, onProgress } = context;
  const total = conceptBlocks(problem.concepts).length;
  const sets = await storedBlocks(store, ref, total);
  const missing = [...sets.keys()].filter((block) => sets[block] === undefined);
  const engine = await openEngine(planned.name, planned);
  try {
    const random = createRandom("cavs");
    const blocks = trainBlocks(problem, methods, { engine, random, blocks: missing, signal });
    for await (const { block, cavs } of blocks) {
      await store.write(blockRef(ref, block), encodeCavSet(cavs));
      sets[block] = cavs;
      onProgress(block + 1, total);
    }
  } finally {
    await engine.close();
  }
  return joinCavSets(sets as CavSet[]);
}

function storedBlocks(
  store: Store,
  ref: ArtifactRef,
  blocks: number,
): Promise<(CavSet | undefined)[]> {
  return Promise.all(Array.from({ length: blocks }, async (_, block) => {
    const bytes = await store.read(blockRef(ref, block));
    return bytes && decodeCavSet(bytes);
  }));
}

function blockRef(ref: ArtifactRef, block: number): ArtifactRef {
  return { ...ref, part: `block-${String(block).padStart(4, "0")}` };
}

function encodeCavSet({ vectors, thresholds, ...names }: CavSet): Uint8Array {
  return writeSafetensors(
    new Map([["vectors", vectors], ["thresholds", thresholds]]),
    { cavs: JSON.stringify(names) },
    { dtype: "F32" },
  );
}

function decodeCavSet(bytes: Uint8Array): CavSet {
  const { tensors, metadata } = readSafetensors(bytes);
  return {
    ...JSON.parse(metadata["cavs"]!),
    vectors: tensors.get("vectors")!,
    thresholds: tensors.get("thresholds")!,
  };
}
