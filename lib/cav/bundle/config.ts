import { z } from "zod";
import { preprocessSchema } from "../../config/mod.ts";

/** The version of the bundle's format; docs/bundle.md describes it. */
export const bundleVersion = 1;

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const text = z.string().min(1).max(1000);
const extent = z.int().positive().max(1e7);
const methodSchema = z.looseObject({
  id: text,
  title: text,
  base: text,
  parts: z.array(z.string()).readonly(),
  hyperparameters: z.record(z.string(), z.unknown()),
});

/** config.json of a bundle: everything that is needed to use its vectors as they are meant. */
export const bundleConfigSchema = z.strictObject({
  schema: z.literal("lg-cav/bundle"),
  version: z.literal(bundleVersion),
  model: z.strictObject({
    /** For people; a backbone's name, or the name of the ONNX file. */
    name: text,
    /** Of the weights or the ONNX file with its external data. */
    sha256: hash,
    /** The profile whose weights a backbone by name has; none of an ONNX file. */
    profile: text.optional(),
    /** The value of the graph whose numbers are the features. */
    layer: text,
    dim: extent,
    preprocess: preprocessSchema,
    /** The input of an ONNX file. */
    input: z.strictObject({
      name: text,
      layout: z.enum(["nchw", "nhwc"]),
      type: z.enum(["float", "uint8"]),
      imageSize: extent,
      batch: extent.optional(),
    }).optional(),
    /** The names of the logits in their order, where the user gave them. */
    classNames: z.array(z.string().max(1000)).readonly().optional(),
  }).readonly(),
  vlModel: z.strictObject({
    name: text,
    /** The hash of its files. */
    revision: text,
    hub: text.optional(),
  }).readonly(),
  concepts: z.array(
    z.strictObject({ name: text, phrase: z.string().min(1).max(3000) }).readonly(),
  ).min(1).readonly(),
  prompts: z.strictObject({
    prompt: text,
    ensemble: z.array(text).readonly(),
  }).readonly(),
  methods: z.array(methodSchema).min(1).readonly(),
  seeds: z.array(z.int().min(0)).min(1).readonly(),
  /** What the numbers mean. */
  sign: text,
  /** configs/cav.json as it was used, with sources. */
  settings: z.record(z.string(), z.unknown()),
}).readonly();

/** See {@linkcode bundleConfigSchema}. */
export type BundleConfig = z.output<typeof bundleConfigSchema>;

/** What the sign of a vector means, in every bundle. */
export const signConvention =
  "A higher cosine of a vector with an image's feature means more of the concept; an image is " +
  "positive when the inner product of vector and feature exceeds the threshold.";

const maybeNumber = z.number().nullable();

/** metrics.json of a bundle: how far its vectors can be trusted. */
export const bundleMetricsSchema = z.strictObject({
  /** Images that no vector was trained on. */
  heldOutImages: z.int().min(0),
  concepts: z.array(
    z.strictObject({
      concept: text,
      method: text,
      /** Correlation of the vector's cosines with the VL model's activations on held-out images. */
      fit: maybeNumber,
      /** The same of the random vectors: mean over them of its magnitude. */
      controlFit: maybeNumber,
      /** Mean angle between the vectors of two seeds in degrees; null of one seed. */
      angleBetweenSeeds: maybeNumber,
      /** Deviation of the VL model's activations over all images. */
      spread: z.number(),
      /** Why the concept should not be relied on, in sentences; empty when it passes. */
      concerns: z.array(z.string().max(2000)).readonly(),
    }).readonly(),
  ).readonly(),
}).readonly();

/** See {@linkcode bundleMetricsSchema}. */
export type BundleMetrics = z.output<typeof bundleMetricsSchema>;
