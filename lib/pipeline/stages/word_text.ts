import { type ConceptTextFeatures, conceptTextFeatures } from "../../activations/mod.ts";
import { range, takeRows, tensor } from "../../tensor/mod.ts";
import { type ModelHow, withVlModel } from "../models.ts";
import { refOf, type StageKind, storedAs, tensorCodec } from "../stage.ts";
import { remarkOnWords, type TextInputs } from "./concepts.ts";

const codec = tensorCodec(["prompt", "ensemble"]);

/** The text features of one word under every prompt; the VL model is opened once for all words. */
export const wordTextKind: StageKind<
  Record<never, never>,
  TextInputs & { readonly phrase: string },
  { readonly model: Extract<ModelHow, { readonly type: "vl" }> },
  ConceptTextFeatures
> = {
  name: "word_text",
  version: 1,
  ...storedAs<ConceptTextFeatures>(codec),
  group: ({ inputs: { model, prompts } }) => JSON.stringify([model, prompts]),
  run: async (nodes, context) => {
    const { inputs: { prompts }, how: { model } } = nodes[0]!;
    const phrases = nodes.map(({ inputs }) => inputs.phrase);
    const { prompt, ensemble } = await withVlModel(model, context, async (opened) => {
      remarkOnWords(opened.describeTexts(phrases), context.remark);
      return await conceptTextFeatures(phrases, {
        ...prompts,
        encode: (texts) => opened.embedTexts(texts),
      });
    });
    const [, width = 0] = prompt.shape;
    const count = prompts.ensemble.length;
    const rows = tensor([nodes.length * count, width], ensemble.data);
    for (const [i, node] of nodes.entries()) {
      const ofWord = takeRows(rows, range(i * count, (i + 1) * count));
      const bytes = codec.encode({
        prompt: takeRows(prompt, [i]),
        ensemble: tensor([1, count, width], ofWord.data),
      });
      await context.store.write(refOf(node), bytes);
    }
  },
};
