import type { ConceptTextFeatures, FeatureRows } from "../../activations/mod.ts";
import { momentsOf, openEngine } from "../../cav/mod.ts";
import { selectProbes } from "../../concepts/mod.ts";
import { UserError } from "../../files/mod.ts";
import { createRandom, row, tensor } from "../../tensor/mod.ts";
import { jsonCodec, refOf, type StageKind, storedAs } from "../stage.ts";
import { activationBlocks } from "./_activations.ts";
import { heldOutImages } from "./_held_out.ts";
import { type RowsNeeds, rowsOf } from "./_rows.ts";

/** The probe images of one word. */
export interface WordProbes {
  /** Positions among the images of the pool, ascending. */
  readonly probes: readonly number[];
  /** Deviation of the VL model's activations over the pool. */
  readonly spread: number;
}

/** What the choice of a word's probes depends on, besides the text. */
export interface WordProbesInputs {
  readonly word: string;
  readonly count: number;
  readonly choice: "extreme" | "random";
  /** The share of the pool that is no word's probe. */
  readonly heldOut: number;
}

/** Fewer images say nothing of a concept. */
const fewest = 10;

const codec = jsonCodec<WordProbes>();

/** Chooses the probes of one word from a pool of unlabelled images, `vl0` and on. */
export const wordProbesKind: StageKind<
  RowsNeeds & { readonly text: ConceptTextFeatures },
  WordProbesInputs,
  { readonly bucket: number },
  WordProbes
> = {
  name: "word_probes",
  version: 1,
  ...storedAs(codec),
  group: ({ needs, inputs: { count, choice, heldOut }, how: { bucket } }) =>
    JSON.stringify([needs["vl0"], count, choice, heldOut, bucket]),
  run: async (nodes, context) => {
    const { need, store, onProgress } = context;
    const first = nodes[0]!;
    const vl: FeatureRows = await rowsOf(first, "vl", need);
    const [images, width] = vl.shape;
    const { count, choice, heldOut } = first.inputs;
    const kept = new Set(heldOutImages(images, heldOut));
    const pool = Array.from({ length: images }, (_, at) => at).filter((at) => !kept.has(at));
    if (pool.length < fewest) {
      throw new UserError(
        `There are ${images} images to choose probes from, too few to say anything. Give a folder ` +
          `of some hundred images at least.`,
      );
    }
    const prompts = new Float32Array(nodes.length * width);
    for (const [i, node] of nodes.entries()) {
      prompts.set((await need(node, "text")).prompt.data, i * width);
    }
    const engine = await openEngine("ort", context);
    try {
      const directions = tensor([nodes.length, width], prompts);
      for await (const { start, activations } of activationBlocks(directions, vl, { engine })) {
        for (let i = 0; i < activations.shape[0]!; i++) {
          const node = nodes[start + i]!;
          const ofWord = row(activations, i);
          const chosen = selectProbes(pool.map((at) => ofWord[at]!), {
            count: Math.min(count, pool.length),
            choice,
            random: createRandom("probes").split(node.inputs.word),
          });
          const value = {
            probes: [...chosen].map((at) => pool[at]!),
            spread: momentsOf(ofWord).deviation,
          };
          await store.write(refOf(node), codec.encode(value));
          onProgress(start + i + 1, nodes.length);
        }
      }
    } finally {
      await engine.close();
    }
  },
};
