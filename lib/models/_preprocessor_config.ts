import { z } from "zod";
import { loadConfig, preprocessSchema, type PreprocessSpec } from "../config/mod.ts";

/** What both readers make of their file, before its ranges are checked. */
type Spec = z.input<typeof preprocessSchema>;

const side = z.int().positive();
const exactSize = z.object({ width: side, height: side });
const perChannel = z.array(z.number()).length(3);

/** Pillow's numbers of its filters. */
const interpolations = { 2: "bilinear", 3: "bicubic" } as const;

/** The fields of CLIPImageProcessor that decide on pixels; the file holds others besides. */
const clipProcessor = z.object({
  do_resize: z.literal(true).default(true),
  size: z.union([side, z.object({ shortest_edge: side }), exactSize]),
  resample: z.union([z.literal(2), z.literal(3)]),
  do_center_crop: z.boolean().default(true),
  crop_size: z.union([side, exactSize]).optional(),
  do_rescale: z.literal(true).default(true),
  rescale_factor: z.number().refine(
    (factor) => Math.abs(factor * 255 - 1) < 1e-6,
    "must be 1/255",
  ).default(1 / 255),
  do_normalize: z.literal(true).default(true),
  image_mean: perChannel,
  image_std: perChannel,
  /** Ours: a model whose own library crops and scales by torchvision's rules says so. */
  rules: z.enum(["torchvision", "transformers"]).default("transformers"),
}).transform((processor, context): Spec => {
  const { size, crop_size: crop } = processor;
  const cropped = typeof crop === "object" ? crop : { width: crop, height: crop };
  if (cropped.width !== cropped.height || (processor.do_center_crop && !cropped.width)) {
    context.addIssue({ code: "custom", path: ["crop_size"], message: "must be a square" });
  }
  return {
    resize: typeof size === "number"
      ? { shorter: size }
      : "shortest_edge" in size
      ? { shorter: size.shortest_edge }
      : { width: size.width, height: size.height },
    interpolation: interpolations[processor.resample],
    crop: processor.do_center_crop ? cropped.width! : null,
    mean: processor.image_mean,
    std: processor.image_std,
    rules: processor.rules,
  };
}).pipe(preprocessSchema);

const oneOrThree = z.union([z.number().transform((value) => [value, value, value]), perChannel]);

/** The fields of open_clip's PreprocessCfg; torchvision's transforms are made of them. */
const openClipPreprocess = z.object({
  size: z.union([
    side.transform((size) => ({ width: size, height: size })),
    z.tuple([side, side]).transform(([height, width]) => ({ width, height })),
  ]),
  mode: z.literal("RGB").default("RGB"),
  mean: oneOrThree,
  std: oneOrThree,
  /** "random" is a matter of training; open_clip reads it as bicubic. */
  interpolation: z.enum(["bilinear", "bicubic", "random"]).default("bicubic"),
  resize_mode: z.enum(["shortest", "squash"]).default("shortest"),
}).transform((config, context): Spec => {
  const { size, resize_mode: mode, interpolation, mean, std } = config;
  const squash = mode === "squash";
  if (!squash && size.width !== size.height) {
    context.addIssue({ code: "custom", path: ["size"], message: "must be a square" });
  }
  return {
    resize: squash ? size : { shorter: size.width },
    interpolation: interpolation === "bilinear" ? "bilinear" : "bicubic",
    crop: squash ? null : size.width,
    mean,
    std,
    rules: "torchvision",
  };
}).pipe(preprocessSchema);

/**
 * Reads how a VL model wants its images from the `preprocessor_config.json` of CLIP's processor.
 *
 * @throws {UserError} naming the field that asks for something else than resizing by bilinear or
 * bicubic interpolation, a central square, 1/255 and normalisation.
 */
export async function readPreprocessorConfig(path: string): Promise<PreprocessSpec> {
  return await loadConfig(path, clipProcessor);
}

/**
 * Reads how a VL model wants its images from the `preprocess_cfg.json` of an OpenCLIP export.
 *
 * @throws {UserError} naming the field that asks for something else than resizing the shorter side
 * and a central square, or squashing to one size, by bilinear or bicubic interpolation.
 */
export async function readOpenClipPreprocess(path: string): Promise<PreprocessSpec> {
  return await loadConfig(path, openClipPreprocess);
}
