import { join } from "node:path";
import type { Tensor as HubTensor } from "@huggingface/transformers";
import { tensor } from "../tensor/mod.ts";
import { type HubModelOptions, importTransformers, loadOptions } from "./_hub_model.ts";
import { readPreprocessorConfig } from "./_preprocessor_config.ts";
import { padded } from "./_text_tokens.ts";
import type { Towers } from "./_towers.ts";

/** The files of a CLIP in the layout of the hub's ONNX conversions. */
export const transformersFiles = [
  "config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "preprocessor_config.json",
  "onnx/text_model.onnx",
  "onnx/vision_model.onnx",
];

/**
 * Opens the towers of a CLIP in the layout of the hub's ONNX conversions.
 *
 * @throws {UserError} when the preprocessing is another than CLIP's.
 */
export async function openTransformersTowers(
  folder: string,
  options: HubModelOptions,
): Promise<Towers> {
  const preprocess = await readPreprocessorConfig(join(folder, "preprocessor_config.json"));
  const transformers = await importTransformers();
  const { AutoTokenizer, CLIPTextModelWithProjection, CLIPVisionModelWithProjection } =
    transformers;
  const tokenizer = await AutoTokenizer.from_pretrained(folder, { local_files_only: true });
  const text = await CLIPTextModelWithProjection.from_pretrained(folder, {
    ...loadOptions(options),
    model_file_name: "text_model",
  });
  const vision = await CLIPVisionModelWithProjection.from_pretrained(folder, {
    ...loadOptions(options),
    model_file_name: "vision_model",
  });
  return {
    preprocess,
    tokenizer,
    maxTokens: tokenizer.model_max_length,
    async encodeTokens(tokens) {
      const length = Math.max(...tokens.map((ids) => ids.length));
      const matrix = (ids: Int32Array) =>
        new transformers.Tensor("int64", BigInt64Array.from(ids, BigInt), [tokens.length, length]);
      const ones = tokens.map((ids) => ids.map(() => 1));
      const { text_embeds } = await text({
        input_ids: matrix(padded(tokens, { length, padId: tokenizer.pad_token_id })),
        attention_mask: matrix(padded(ones, { length, padId: 0 })),
      });
      return copyOf(text_embeds);
    },
    async encodePixels({ shape, data }) {
      const input = new transformers.Tensor("float32", data, [...shape]);
      return copyOf((await vision({ pixel_values: input })).image_embeds);
    },
    async close() {
      await text.dispose();
      await vision.dispose();
    },
  };
}

function copyOf({ dims, data }: HubTensor) {
  return tensor(dims, data as Float32Array);
}
