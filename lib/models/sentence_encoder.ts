import type { HubModelConfig } from "../config/mod.ts";
import { type Tensor, zeros } from "../tensor/mod.ts";
import {
  findHubModel,
  type HashHubOptions,
  hubModelHash,
  type HubModelOptions,
  importTransformers,
  loadOptions,
  refuseModel,
} from "./_hub_model.ts";

/** A frozen encoder of short texts, for the similarity of concept and class names. */
export interface SentenceEncoder {
  readonly name: string;
  /** Embeddings [texts, dimension] of length 1: the mean over a text's tokens, normalised. */
  embed(texts: readonly string[]): Promise<Tensor>;
  close(): Promise<void>;
}

const FILES = ["config.json", "tokenizer.json", "tokenizer_config.json", "onnx/model.onnx"];

/** Texts that are padded to one length and encoded together; padding does not enter the mean. */
const TEXTS_PER_RUN = 32;

/**
 * The hash of a sentence encoder's files, without opening it.
 *
 * @throws {UserError} naming the first missing file.
 */
export function sentenceEncoderHash(
  config: HubModelConfig,
  options: HashHubOptions,
): Promise<string> {
  return hubModelHash(config, { files: FILES, ...options });
}

/**
 * Opens a sentence-transformers model (such as all-mpnet-base-v2) in the hub's ONNX layout.
 *
 * @throws {UserError} when a file is missing or damaged, or the device is not there.
 */
export async function openSentenceEncoder(
  config: HubModelConfig,
  options: HubModelOptions,
): Promise<SentenceEncoder> {
  const { hubFolder } = options;
  const folder = await findHubModel(config, { files: FILES, hubFolder });
  const { pipeline } = await importTransformers();
  const extract = await pipeline("feature-extraction", folder, loadOptions(options))
    .catch(refuseModel(config, { folder, device: options.device }));
  return {
    name: config.name,
    async embed(texts) {
      let all = zeros([0, 0]);
      for (let from = 0; from < texts.length; from += TEXTS_PER_RUN) {
        const block = texts.slice(from, from + TEXTS_PER_RUN);
        const { dims, data } = await extract(block, { pooling: "mean", normalize: true });
        if (from === 0) all = zeros([texts.length, dims[1]!]);
        all.data.set(data as Float32Array, from * dims[1]!);
      }
      return all;
    },
    async close() {
      await extract.dispose();
    },
  };
}
