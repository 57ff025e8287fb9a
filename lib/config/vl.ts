import { z } from "zod";

const hubId = z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'must be a hub name such as "Xenova/model"');

const named = {
  name: z.string(),
  /** As a table calls it. */
  title: z.string().optional(),
  /** Its sizes as they are published, known before it is fetched. */
  published: z.strictObject({
    source: z.string(),
    /** Side of the images in pixels. */
    imageSize: z.int().positive().max(4096),
    /** Length of the features. */
    width: z.int().positive().max(1e5),
    /** Of the image tower, for one image. */
    imageGflops: z.number().positive().max(1e6),
    /** Of both towers. */
    millionParameters: z.number().positive().max(1e6),
  }).optional(),
};

/**
 * How the files of a VL model are laid out: `transformers`, the layout of the hub's ONNX conversions
 * for transformers.js and the default, or `open_clip`, the two towers `textual/` and `visual/` of an
 * OpenCLIP export as immich publishes them.
 */
const layout = z.enum(["transformers", "open_clip"]).optional();

/**
 * Where a model of the hub lies: a folder of the repository or of the user, or the copy that
 * `data fetch` made. The files are the same in both. In the layout `transformers`: config.json,
 * tokenizer.json, tokenizer_config.json and onnx/; for a VL model also preprocessor_config.json.
 */
export const hubModelSchema = z.union([
  z.strictObject({ ...named, folder: z.string(), layout }),
  z.strictObject({ ...named, hub: hubId, layout }),
]).readonly();

export type HubModelConfig = z.output<typeof hubModelSchema>;
