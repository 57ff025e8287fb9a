import type { ConceptTextFeatures, FeatureRows } from "../../activations/mod.ts";
import { type CavEngine, momentsOf, openEngine } from "../../cav/mod.ts";
import { selectProbes } from "../../concepts/mod.ts";
import { UserError } from "../../files/mod.ts";
import { createRandom, row, type Tensor } from "../../tensor/mod.ts";
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
    const [images] = vl.shape;
    const { count, choice, heldOut } = first.inputs;
    const kept = new Set(heldOutImages(images, heldOut));
    const pool = Array.from({ length: images }, (_, at) => at).filter((at) => !kept.has(at));
    if (pool.length < fewest) {
      throw new UserError(
        `There are ${images} images to choose probes from, too few to say anything. Give a folder ` +
          `of some hundred images at least.`,
      );
    }
    const engine = await openEngine("ort", context);
    try {
      for (const [done, node] of nodes.entries()) {
        const ofWord = await activationsOf((await need(node, "text")).prompt, vl, engine);
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
        onProgress(done + 1, nodes.length);
      }
    } finally {
      await engine.close();
    }
  },
};

/** The cosines of one word with all images: by itself, as a product of several rounds otherwise. */
async function activationsOf(
  text: Tensor,
  vl: FeatureRows,
  engine: CavEngine,
): Promise<Float32Array> {
  for await (const { activations } of activationBlocks(text, vl, { engine })) {
    return row(activations, 0);
  }
  throw new RangeError("A word without text.");
}
