import {
  ambiguousTexts,
  centreTexts,
  type ConceptTextFeatures,
  disperseTexts,
  type FeatureRows,
  mismatchedRows,
  rowsPerBlock,
  writeRowsBlock,
} from "../../activations/mod.ts";
import { type ConceptImageSet, otherMeanings } from "../../concepts/mod.ts";
import { createRandom, normaliseRows, range } from "../../tensor/mod.ts";
import {
  artifactKind,
  markComplete,
  refOf,
  type StageKind,
  storedInParts,
  tensorCodec,
} from "../stage.ts";
import { type RowsNeeds, rowsOf } from "./_rows.ts";
import { loadRows } from "./features.ts";

/** What is done to texts; nothing where a dial is off. */
export interface PerturbedTextInputs {
  /** The plain template, then those of the ensemble. */
  readonly templates: readonly string[];
  readonly polysemy?: number;
  readonly centring?: number;
  readonly dispersion?: { readonly level: number; readonly zipf: number; readonly style: number };
}

/** Text features of a VL model whose words are ambiguous or whose prompts lie apart. */
export const perturbedTextKind = artifactKind<
  { readonly concepts: ConceptImageSet; readonly text: ConceptTextFeatures },
  PerturbedTextInputs,
  null,
  ConceptTextFeatures
>({
  name: "perturbed_text",
  version: 1,
  codec: tensorCodec(["prompt", "ensemble"]),
  compute: async (node, { need }) => {
    const { templates, polysemy: weight, centring: share, dispersion } = node.inputs;
    const { concepts } = await need(node, "concepts");
    const text = await need(node, "text");
    const random = createRandom("perturbed text");
    const others = otherMeanings(concepts, random.split("meanings"));
    const meant = weight === undefined ? text : ambiguousTexts(text, { others, weight });
    const moved = dispersion === undefined
      ? meant
      : disperseTexts(meant, templates, { ...dispersion, random: random.split("prompts") });
    return share === undefined ? moved : centreTexts(moved, { share });
  },
});

/** VL features of one source of images, at unit length, minus a share of the mean over all sources. */
export const centredKind: StageKind<
  RowsNeeds,
  { readonly share: number; readonly source: number },
  null,
  FeatureRows
> = {
  name: "centred",
  version: 1,
  ...storedInParts(loadRows),
  group: ({ key }) => key,
  run: async (nodes, { store, need, signal }) => {
    for (const node of nodes) {
      const { share, source } = node.inputs;
      const blockOf = async ({ shape: [count], take }: FeatureRows, start: number) => {
        signal.throwIfAborted();
        return normaliseRows(await take(range(start, Math.min(start + rowsPerBlock, count))));
      };
      const all = await rowsOf(node, "vl", need);
      const [total, width] = all.shape;
      const mean = new Float64Array(width);
      for (let start = 0; start < total; start += rowsPerBlock) {
        (await blockOf(all, start)).data.forEach((x, i) => mean[i % width]! += x / total);
      }
      const rows = await need(node, `vl${source}`);
      const [count] = rows.shape;
      for (let start = 0; start < count; start += rowsPerBlock) {
        const block = await blockOf(rows, start);
        block.data.forEach((x, i) => block.data[i] = x - share * mean[i % width]!);
        await writeRowsBlock(block, { store, ref: refOf(node), start });
      }
      await markComplete(node, { store, count });
    }
  },
};

/** VL features of images of which a share are those of another image. */
export const mismatchedKind: StageKind<
  { readonly rows: FeatureRows },
  { readonly share: number },
  null,
  FeatureRows
> = {
  name: "mismatched",
  version: 1,
  ...storedInParts(loadRows),
  group: ({ key }) => key,
  run: async (nodes, { store, need, signal }) => {
    for (const node of nodes) {
      const rows = await need(node, "rows");
      const [count] = rows.shape;
      const random = createRandom("captions");
      const taken = mismatchedRows(count, { share: node.inputs.share, random });
      for (let start = 0; start < count; start += rowsPerBlock) {
        signal.throwIfAborted();
        const block = await rows.take(taken.slice(start, start + rowsPerBlock));
        await writeRowsBlock(block, { store, ref: refOf(node), start });
      }
      await markComplete(node, { store, count });
    }
  },
};
