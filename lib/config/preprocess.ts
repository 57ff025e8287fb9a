import { z } from "zod";

const side = z.int().positive().max(8192);
const perChannel = z.array(z.number().min(-1000).max(1000)).length(3).readonly();

/**
 * How a decoded image becomes a model's input: resize, crop the centre, scale to 0 .. 1, normalise
 * per channel. `rules` says whose rounding is meant where the two differ: `torchvision` (the
 * default) or `transformers`, whose CLIP processor rounds the crop's corner down.
 */
export const preprocessSchema = z.strictObject({
  /** The shorter side in pixels with the aspect kept, an exact size, or null for no resizing. */
  resize: z.union([
    z.strictObject({ shorter: side }),
    z.strictObject({ width: side, height: side }),
  ]).nullable(),
  interpolation: z.enum(["bilinear", "bicubic"]),
  /** The side of the central square in pixels, or null for no cropping. */
  crop: side.nullable(),
  mean: perChannel,
  /** Of pixels from 0 to 1; less than a thousandth would be no image. */
  std: perChannel.refine((std) => std.every((value) => value >= 0.001), "must be 0.001 at least"),
  rules: z.enum(["torchvision", "transformers"]).optional(),
}).readonly();

/** See {@linkcode preprocessSchema}. */
export type PreprocessSpec = z.infer<typeof preprocessSchema>;
