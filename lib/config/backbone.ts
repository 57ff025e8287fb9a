import { z } from "zod";
import { preprocessSchema } from "./preprocess.ts";
import { sourced } from "./sourced.ts";
import { UserError } from "../files/mod.ts";

const count = z.int().positive().max(65_536);
/** Layers one after another; the deepest released network has 48 in a stage. */
const depth = z.int().positive().max(256);
const blocks = z.array(depth).min(1).max(8).readonly();
const common = { classes: count, imageSize: count };

/** The sizes that make an architecture of each family, by family. */
const architectures = {
  /** torchvision's ResNet: channels of the first stage, residual blocks per stage. */
  resnet: z.strictObject({ ...common, width: count, blocks, bottleneck: z.boolean() }),
  /** torchvision's DenseNet: layers per dense block. */
  densenet: z.strictObject({
    ...common,
    initialChannels: count,
    growth: count,
    bottleneckFactor: count,
    blocks,
  }),
  /** torchvision's VGG without batch norm: channels and convolutions per stage. */
  vgg: z.strictObject({
    ...common,
    channels: z.array(count).min(1).max(8).readonly(),
    blocks,
    pooledSize: count,
    hidden: count,
  }),
  /** torchvision's vision transformer. */
  vit: z.strictObject({
    ...common,
    patchSize: count,
    layers: depth,
    heads: count,
    hidden: count,
    mlp: count,
  }),
  /** pytorchcv's ResNet with basic blocks, for images of ImageNet's size. */
  pytorchcv_resnet: z.strictObject({ ...common, width: count, blocks }),
  /** pytorchcv's ResNets for CIFAR: plain or pre-activation, with or without squeeze-excitation. */
  pytorchcv_cifar_resnet: z.strictObject({
    ...common,
    width: count,
    blocks,
    preactivation: z.boolean(),
    squeezeExcitation: z.boolean(),
  }),
  /** pytorchcv's DenseNet for CIFAR without bottleneck: units per stage. */
  pytorchcv_cifar_densenet: z.strictObject({
    ...common,
    initialChannels: count,
    growth: count,
    blocks,
  }),
};

type Families = typeof architectures;
export type BackboneFamily = keyof Families;
export type ArchitectureOf<F extends BackboneFamily> = z.output<Families[F]>;

/** Where the released weights are, with the hash in their file's name, and their top-1 in percent. */
const releasedWeights = z.strictObject({
  url: z.url(),
  /** The file inside the archive, where the URL is that of an archive. */
  file: z.string().optional(),
  sha256Prefix: z.string().regex(/^[0-9a-f]{8,64}$/).optional(),
  sha1: z.string().regex(/^[0-9a-f]{40}$/).optional(),
  top1: z.number().min(0).max(100),
});

/** The intermediate features of Tables 13 and 14: an output, and how an image's are made a vector. */
const intermediate = sourced(
  z.strictObject({ output: z.string(), pool: z.enum(["average", "class_token"]) }),
);

const named = {
  name: z.string(),
  /** As a table calls it; the name when left out. */
  title: z.string().optional(),
  /** As a narrow table calls it; the title when left out. */
  short: z.string().max(10).optional(),
};

function familySchema<F extends BackboneFamily>(family: F) {
  return z.strictObject({
    ...named,
    family: z.literal(family),
    /** The sizes of the released model. */
    architecture: architectures[family],
    /** What differs in the narrow model for the world's images; none where it has no such twin. */
    world: (architectures[family] as z.ZodObject).partial().optional(),
    preprocess: preprocessSchema,
    intermediate: intermediate.optional(),
    weights: releasedWeights,
  });
}

/** A backbone that is built from its sizes; files in configs/backbones/ follow this schema. */
export const builtBackboneSchema = z.discriminatedUnion("family", [
  familySchema("resnet"),
  familySchema("densenet"),
  familySchema("vgg"),
  familySchema("vit"),
  familySchema("pytorchcv_resnet"),
  familySchema("pytorchcv_cifar_resnet"),
  familySchema("pytorchcv_cifar_densenet"),
]).readonly();

/** A user's own classifier as an ONNX file; paths are relative to the working folder. */
export const onnxBackboneSchema = z.strictObject({
  ...named,
  family: z.literal("onnx"),
  file: z.string(),
  /** The input that takes the images; the only one when left out. */
  input: z.string().optional(),
  /** The value that holds the features; the input of the last linear layer when left out. */
  features: z.string().optional(),
  /** The output that holds the logits; the only one when left out. */
  logits: z.string().optional(),
  /** A text file with one class name a line, in the order of the logits. */
  classNames: z.string(),
  preprocess: preprocessSchema,
}).readonly();

/** A file in configs/backbones/, or a user's own. */
export const backboneSchema = z.discriminatedUnion("family", [
  ...builtBackboneSchema.unwrap().options,
  onnxBackboneSchema.unwrap(),
]).readonly();

export type BuiltBackbone = z.output<typeof builtBackboneSchema>;
export type OnnxBackbone = z.output<typeof onnxBackboneSchema>;

/** The sizes of a network, with the family they belong to. */
export type Architecture = {
  [F in BackboneFamily]: ArchitectureOf<F> & { readonly family: F };
}[BackboneFamily];

/** A backbone at one scale: what is built. */
export interface SizedBackbone {
  readonly name: string;
  readonly architecture: Architecture;
  readonly preprocess: BuiltBackbone["preprocess"];
  readonly intermediate: BuiltBackbone["intermediate"];
}

/**
 * A backbone with the sizes of its released weights, or narrow, for the world's images, which have
 * their size already: only the normalisation is left of the preprocessing.
 *
 * @throws {UserError} when the backbone has no narrow twin.
 */
export function withSizes(config: BuiltBackbone, sizes: "released" | "world"): SizedBackbone {
  const { name, family, intermediate } = config;
  if (sizes === "world" && config.world === undefined) {
    throw new UserError(
      `Backbone ${name} has no "world" sizes in its config: add them, or choose another backbone.`,
    );
  }
  const narrow = sizes === "world" && { ...config.world };
  return {
    name,
    architecture: { ...config.architecture, ...narrow, family } as Architecture,
    preprocess: narrow ? { ...config.preprocess, resize: null, crop: null } : config.preprocess,
    intermediate,
  };
}
