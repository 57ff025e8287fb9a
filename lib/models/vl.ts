import type { HubModelConfig, PreprocessSpec } from "../config/mod.ts";
import { type Tensor, tensor, zeros } from "../tensor/mod.ts";
import {
  findHubModel,
  type HashHubOptions,
  hubModelHash,
  type HubModelOptions,
  refuseModel,
} from "./_hub_model.ts";
import { openClipFiles, openOpenClipTowers } from "./_open_clip_towers.ts";
import { gapsOf, type TextGaps, tokensOf } from "./_text_tokens.ts";
import type { Towers } from "./_towers.ts";
import { openTransformersTowers, transformersFiles } from "./_transformers_towers.ts";

export type { TextGaps };

/** A frozen vision-language model: an image and a text encoder into one space of V dimensions. */
export interface VlModel {
  readonly name: string;
  /** V, the dimension of the shared space. */
  readonly dimension: number;
  /** How images become the pixels that {@linkcode VlModel.embedImages} takes. */
  readonly preprocess: PreprocessSpec;
  /** Text features g_text [texts, V], of the length that the model gives them. */
  embedTexts(texts: readonly string[]): Promise<Tensor>;
  /**
   * Image features g_img [count, V], of the length that the model gives them, of `count`
   * preprocessed CHW images.
   */
  embedImages(pixels: Float32Array, count: number): Promise<Tensor>;
  /** Which words of the texts the model has no whole token for, and which texts it cuts. */
  describeTexts(texts: readonly string[]): TextGaps;
  close(): Promise<void>;
}

interface Layout {
  readonly files: readonly string[];
  readonly open: (folder: string, options: HubModelOptions) => Promise<Towers>;
}

const layouts: Readonly<Record<NonNullable<HubModelConfig["layout"]>, Layout>> = {
  transformers: { files: transformersFiles, open: openTransformersTowers },
  open_clip: { files: openClipFiles, open: openOpenClipTowers },
};

/** Texts that are padded to one length and encoded together. */
const TEXTS_PER_RUN = 32;

/**
 * The hash of a VL model's files, without opening it.
 *
 * @throws {UserError} naming the first missing file.
 */
export function vlModelHash(config: HubModelConfig, options: HashHubOptions): Promise<string> {
  return hubModelHash(config, { files: layoutOf(config).files, ...options });
}

/**
 * Opens a CLIP from a folder, in the layout that its config names.
 *
 * @throws {UserError} when a file is missing, damaged or asks for another preprocessing than CLIP's,
 * or the device is not there.
 */
export async function openVlModel(
  config: HubModelConfig,
  options: HubModelOptions,
): Promise<VlModel> {
  const { hubFolder, device } = options;
  const { files, open } = layoutOf(config);
  const folder = await findHubModel(config, { files, hubFolder });
  const towers = await open(folder, options).catch(refuseModel(config, { folder, device }));
  const { preprocess } = towers;
  const { width, height } = imageSize(preprocess);
  const dimension = (await towers.encodeTokens(tokensOf([""], towers))).shape[1]!;
  return {
    name: config.name,
    dimension,
    preprocess,
    async embedTexts(texts) {
      const all = zeros([texts.length, dimension]);
      for (let from = 0; from < texts.length; from += TEXTS_PER_RUN) {
        const tokens = tokensOf(texts.slice(from, from + TEXTS_PER_RUN), towers);
        all.data.set((await towers.encodeTokens(tokens)).data, from * dimension);
      }
      return all;
    },
    async embedImages(pixels, count) {
      if (count === 0) return zeros([0, dimension]);
      if (pixels.length !== count * 3 * height * width) {
        throw new RangeError(
          `Embedding ${count} images with ${config.name} takes [${count},3,${height},${width}] ` +
            `pixels, not ${pixels.length} numbers.`,
        );
      }
      return await towers.encodePixels(tensor([count, 3, height, width], pixels));
    },
    describeTexts: (texts) => gapsOf(texts, towers),
    close: () => towers.close(),
  };
}

function layoutOf({ layout = "transformers" }: HubModelConfig): Layout {
  return layouts[layout];
}

function imageSize({ crop, resize }: PreprocessSpec): { width: number; height: number } {
  if (crop !== null) return { width: crop, height: crop };
  if (resize !== null && "width" in resize) return resize;
  throw new RangeError("A VL model's images must be cropped or resized to one size.");
}
