import type { ConceptTextFeatures, FeatureRows } from "../../activations/mod.ts";
import {
  type BundleConfig,
  type BundleTensors,
  openEngine,
  writeBundleFiles,
} from "../../cav/mod.ts";
import type { CavConfig, Plain } from "../../config/mod.ts";
import { highest } from "../../metrics/mod.ts";
import { range, tensor, zeros } from "../../tensor/mod.ts";
import { refOf, type StageContext, type StageKind, type TypedNode } from "../stage.ts";
import { imagesPerBlock } from "./_activations.ts";
import { bundleMetrics } from "./_bundle_metrics.ts";
import { drawEvidence, type EvidenceSheet, type SourcedImage } from "./_evidence.ts";
import { heldOutImages } from "./_held_out.ts";
import { type RowsNeeds, rowsOf } from "./_rows.ts";
import type { DatasetFiles } from "./files.ts";
import { type ImagesOf, openImages, type ReadableImages } from "./images.ts";
import type { WordCav } from "./word_cav.ts";
import type { WordProbes } from "./word_probes.ts";

/**
 * The images of the pool and their features, and of each concept c the text, the probes, the CAV of
 * each method and seed m, s, and a random one of each seed.
 */
export interface BundleNeeds extends RowsNeeds {
  readonly [role: `files${number}`]: DatasetFiles;
  readonly [role: `readable${number}`]: ReadableImages;
  readonly [role: `text${number}`]: ConceptTextFeatures;
  readonly [role: `probes${number}`]: WordProbes;
  readonly [role: `cav${number}_${number}_${number}`]: WordCav;
  readonly [role: `control${number}_${number}`]: WordCav;
}

/** What a bundle says, but for the length of its vectors, which the features tell. */
export interface BundleInputs {
  readonly config: Omit<BundleConfig, "model"> & {
    readonly model: Omit<BundleConfig["model"], "dim">;
  };
  readonly settings: Plain<Pick<CavConfig, "heldOut" | "gates" | "evidence">>;
  /** Which images each source of the pool is. */
  readonly of: readonly ImagesOf[];
  readonly runtime: string;
}

type Node = TypedNode<BundleInputs, null>;
type Context = StageContext<BundleNeeds>;

/** The files of a bundle, in a folder of the store. */
export const bundleKind: StageKind<BundleNeeds, BundleInputs, null, DatasetFiles> = {
  name: "bundle",
  version: 1,
  isStored: (node, store) => store.has(refOf(node)),
  load: async (node, store) => {
    const record = await store.openDirectory(refOf(node));
    return record && { folder: record.path };
  },
  group: ({ key }) => key,
  run: async ([node], context) => {
    const made = await makeBundle(node!, context);
    await context.store.publishDirectory(
      refOf(node!),
      (folder) => writeBundleFiles(folder, made, { evidence: drawEvidence(made.sheets) }),
    );
  },
};

async function makeBundle(node: Node, context: Context) {
  const { settings, config: { model, ...rest } } = node.inputs;
  const features = await rowsOf(node, "features", context.need);
  const vl = await rowsOf(node, "vl", context.need);
  const [images, dim] = features.shape;
  const config: BundleConfig = { ...rest, model: { ...model, dim } };
  const { concepts } = config;
  const spreads: number[] = [];
  const texts = zeros([concepts.length, vl.shape[1]]);
  for (const c of concepts.keys()) {
    spreads.push((await context.need(node, `probes${c}`)).spread);
    texts.data.set((await context.need(node, `text${c}`)).prompt.data, c * vl.shape[1]);
  }
  const tensors = await tensorsOf(node, { config, features, context });
  const positions = heldOutImages(images, settings.heldOut);
  const engine = await openEngine("ort", context);
  try {
    const heldOut = await features.take(positions);
    const ofVl = await vl.take(positions);
    const evidence = { config, tensors, heldOut, texts, vl: ofVl, spreads };
    const { metrics, cosines } = await bundleMetrics(evidence, { gates: settings.gates, engine });
    const sheets = await sheetsOf(node, { cosines, positions, context });
    return { config, metrics, tensors, sheets };
  } finally {
    await engine.close();
  }
}

async function tensorsOf(
  node: Node,
  { config: { methods, seeds, concepts, model: { dim } }, features, context: { need, onProgress } }:
    {
      readonly config: BundleConfig;
      readonly features: FeatureRows;
      readonly context: Context;
    },
): Promise<BundleTensors> {
  const vectors = zeros([methods.length, seeds.length, concepts.length, dim]);
  const thresholds = zeros([methods.length, seeds.length, concepts.length]);
  const controls = zeros([seeds.length, concepts.length, dim]);
  for (const c of concepts.keys()) {
    for (const s of seeds.keys()) {
      for (const m of methods.keys()) {
        const { vector, threshold } = await need(node, `cav${m}_${s}_${c}`);
        const at = (m * seeds.length + s) * concepts.length + c;
        vectors.data.set(vector.data, at * dim);
        thresholds.data[at] = threshold.data[0]!;
      }
      const { vector } = await need(node, `control${s}_${c}`);
      controls.data.set(vector.data, (s * concepts.length + c) * dim);
    }
    onProgress(c + 1, concepts.length);
  }
  return { vectors, thresholds, controls, featureMean: await meanOf(features) };
}

async function meanOf(features: FeatureRows) {
  const [images, dim] = features.shape;
  const sums = new Float64Array(dim);
  for (let start = 0; start < images; start += imagesPerBlock) {
    const { data } = await features.take(range(start, Math.min(images, start + imagesPerBlock)));
    for (let i = 0; i < data.length; i++) sums[i % dim]! += data[i]!;
  }
  return tensor([dim], Float32Array.from(sums, (sum) => sum / images));
}

/** Of each concept the held-out images that it activates most, above, and least, below. */
async function sheetsOf(
  node: Node,
  { cosines, positions, context: { need } }: {
    readonly cosines: readonly Float32Array[];
    readonly positions: readonly number[];
    readonly context: Context;
  },
): Promise<EvidenceSheet[]> {
  const { of, settings: { evidence } } = node.inputs;
  const pool: SourcedImage[] = [];
  for (const [source, images] of of.entries()) {
    const set = await openImages(images, await need(node, `files${source}`));
    const { indices } = await need(node, `readable${source}`);
    for (const index of indices) pool.push({ images: set, index });
  }
  const most = Math.min(evidence, Math.floor(positions.length / 2));
  return cosines.map((values, concept) => ({
    name: `${String(concept + 1).padStart(4, "0")}.png`,
    rows: [values, values.map((value) => -value)].map((ofEnd) =>
      highest(ofEnd, most).map((at) => pool[positions[at]!]!)
    ),
  }));
}
