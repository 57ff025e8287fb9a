import type { ConceptTextFeatures } from "../../activations/mod.ts";
import { momentsOf, openEngine } from "../../cav/mod.ts";
import {
  type ConceptImageSet,
  type LabelledConcept,
  probeCandidates,
  selectProbes,
} from "../../concepts/mod.ts";
import { listed, UserError } from "../../files/mod.ts";
import { quantile } from "../../metrics/mod.ts";
import { createRandom, row } from "../../tensor/mod.ts";
import { artifactKind, jsonCodec, type StageContext, type TypedNode } from "../stage.ts";
import { activationBlocks } from "./_activations.ts";
import { type RowsNeeds, rowsOf } from "./_rows.ts";
import type { DatasetFiles } from "./files.ts";
import { type LabelledOf, openLabelled, type ReadableImages } from "./images.ts";

/** What the choice of probes needs; the labelled pool only where images are held out. */
export interface ProbesNeeds extends RowsNeeds {
  readonly concepts: ConceptImageSet;
  readonly text: ConceptTextFeatures;
  readonly poolFiles?: DatasetFiles;
  readonly poolReadable?: ReadableImages;
}

/** How many probes, and which; `heldOut` images of each class of `of` are never probes. */
export interface ProbesInputs {
  readonly count: number | "pool";
  readonly choice: "extreme" | "random";
  /** By which they are drawn, of a random choice. */
  readonly seed?: number;
  /** Whether the images of other concepts are among a concept's candidates. */
  readonly otherConcepts: boolean;
  /** Whether the concept's negatives are among them too, which judge its CAV. */
  readonly testNegatives?: true;
  readonly heldOut: number;
  readonly of?: LabelledOf;
  /** Whether the text is of random words: that they say little of the images is no remark. */
  readonly control?: true;
}

/**
 * The probe images of every concept, as rows of the features of the concepts' images followed by
 * those of the pool: {@linkcode probeCandidates} says which are left out.
 */
export const probesKind = artifactKind<
  ProbesNeeds,
  ProbesInputs,
  null,
  readonly (readonly number[])[]
>({
  name: "probes",
  version: 3,
  codec: jsonCodec(),
  compute: async (node, context) => {
    const { need } = context;
    const { count, choice, seed, otherConcepts, testNegatives } = node.inputs;
    const { concepts, images } = await need(node, "concepts");
    const { prompt } = await need(node, "text");
    const vl = await rowsOf(node, "vl", need);
    const heldOut = await heldOutRows(node, { need, first: images.length });
    const probesOf = (
      concept: LabelledConcept,
      ofConcept: Float32Array,
    ): readonly number[] => {
      const { name } = concept;
      const pool = probeCandidates(concept, {
        ofConcepts: images.length,
        images: ofConcept.length,
        otherConcepts,
        testNegatives,
        heldOut,
      });
      const wanted = count === "pool" ? pool.length : count;
      if (pool.length < Math.max(2, wanted)) {
        throw new UserError(
          `Concept "${name}" has ${pool.length} images to choose probes from, fewer than ` +
            `probes.count, which is ${count}. Lower it or add images to the pool.`,
        );
      }
      const ofSeeds = createRandom("probes").split(name);
      const random = seed === undefined ? ofSeeds : ofSeeds.split(seed);
      const ofPool = pool.map((image) => ofConcept[image]!);
      return [...selectProbes(ofPool, { count: wanted, choice, random })].map((at) => pool[at]!);
    };
    const probes: (readonly number[])[] = [];
    const deviations: { readonly name: string; readonly deviation: number }[] = [];
    const engine = await openEngine("ort", context);
    try {
      for await (const { start, activations } of activationBlocks(prompt, vl, { engine })) {
        for (let i = 0; i < activations.shape[0]!; i++) {
          const concept = concepts[start + i]!;
          const ofConcept = row(activations, i);
          const { deviation } = momentsOf(ofConcept);
          deviations.push({ name: concept.name, deviation });
          probes.push(probesOf(concept, ofConcept));
        }
      }
    } finally {
      await engine.close();
    }
    if (!node.inputs.control) remarkOnDeviations(deviations, context.remark);
    return probes;
  },
});

/** An activation that varies less than this share of the concepts' median tells images hardly apart. */
const leastShare = 0.2;

function remarkOnDeviations(
  concepts: readonly { readonly name: string; readonly deviation: number }[],
  remark: (sentence: string) => void,
): void {
  const ascending = concepts.map(({ deviation }) => deviation).sort((a, b) => a - b);
  const median = quantile(ascending, 0.5);
  const flat = concepts.filter(({ deviation }) => deviation < leastShare * median);
  if (flat.length === 0) return;
  remark(
    `The VL model's activations hardly vary over the images for ${
      listed(flat.map(({ name }) => name))
    }: less than ${100 * leastShare} % of what is usual here. Other words may say more.`,
  );
}

/**
 * The images that are kept from the probes, so that gradients are taken where no CAV was trained: the
 * first `heldOut` of each class that can be read, as positions among the readable ones.
 */
export async function heldOutPositions(
  { of, heldOut }: Required<Pick<ProbesInputs, "of" | "heldOut">>,
  { files, readable }: { readonly files: DatasetFiles; readonly readable: ReadableImages },
): Promise<{ readonly positions: readonly number[]; readonly classes: readonly string[] }> {
  const { labels, classes } = await openLabelled(of, files);
  const taken = new Map<number, number>();
  const positions: number[] = [];
  const ofPositions: string[] = [];
  for (const [position, image] of readable.indices.entries()) {
    const label = labels[image]!;
    const count = taken.get(label) ?? 0;
    if (count >= heldOut) continue;
    taken.set(label, count + 1);
    positions.push(position);
    ofPositions.push(classes[label]!.id);
  }
  return { positions, classes: ofPositions };
}

async function heldOutRows(
  node: TypedNode<ProbesInputs, null>,
  { need, first }: Pick<StageContext<ProbesNeeds>, "need"> & { readonly first: number },
): Promise<ReadonlySet<number>> {
  const { heldOut, of } = node.inputs;
  if (heldOut === 0 || of === undefined) return new Set();
  const files = (await need(node, "poolFiles"))!;
  const readable = (await need(node, "poolReadable"))!;
  const { positions } = await heldOutPositions({ of, heldOut }, { files, readable });
  return new Set(positions.map((position) => first + position));
}
