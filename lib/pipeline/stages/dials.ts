import {
  ambiguousTexts,
  type ConceptTextFeatures,
  disperseTexts,
  type FeatureRows,
  mismatchedRows,
  rowsPerBlock,
  writeRowsBlock,
} from "../../activations/mod.ts";
import { type ConceptImageSet, otherMeanings } from "../../concepts/mod.ts";
import { createRandom } from "../../tensor/mod.ts";
import {
  artifactKind,
  markComplete,
  refOf,
  type StageKind,
  storedInParts,
  tensorCodec,
} from "../stage.ts";
import { loadRows } from "./features.ts";

/** What is done to texts; nothing where a dial is off. */
export interface PerturbedTextInputs {
  /** The plain template, then those of the ensemble. */
  readonly templates: readonly string[];
  readonly polysemy?: number;
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
    const { templates, polysemy: weight, dispersion } = node.inputs;
    const { concepts } = await need(node, "concepts");
    const text = await need(node, "text");
    const random = createRandom("perturbed text");
    const others = otherMeanings(concepts, random.split("meanings"));
    const meant = weight === undefined ? text : ambiguousTexts(text, { others, weight });
    if (dispersion === undefined) return meant;
    return disperseTexts(meant, templates, { ...dispersion, random: random.split("prompts") });
  },
});

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
