import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import type { OpenImageEncoder } from "../activations/mod.ts";
import {
  atScale,
  backboneSchema,
  type HubModelConfig,
  hubModelSchema,
  loadConfig,
  type OnnxBackbone,
  type PreprocessSpec,
  type Profile,
} from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import {
  type Backbone,
  type FeatureCost,
  featureCost,
  lastLayerOf,
  loadWeights,
  openBackbone,
  openOnnxClassifier,
  openVlModel,
  vlModelHash,
} from "../models/mod.ts";
import { fileHash } from "../files/mod.ts";
import { type Json } from "../store/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { PlanSpec } from "./plan_spec.ts";
import type { StageContext } from "./stage.ts";

/** The models of a plan by name; each is identified, which hashes its files, once. */
export interface PlanModels {
  readonly target: (name: string) => Promise<TargetModel>;
  readonly vl: (name: string) => Promise<VlImageModel>;
}

/** The models that a profile offers to the experiments of one plan. */
export function planModels(spec: PlanSpec, profile: Profile): PlanModels {
  return {
    target: oncePerName((name) => targetModel(name, { spec, profile })),
    vl: oncePerName((name) => vlImageModel(name, spec)),
  };
}

function oncePerName<T>(make: (name: string) => Promise<T>): (name: string) => Promise<T> {
  const made = new Map<string, Promise<T>>();
  return (name) => {
    const known = made.get(name) ?? make(name);
    made.set(name, known);
    return known;
  };
}

/** How a model's session runs. */
export type SessionChoice = Pick<StageContext, "device" | "threads">;

/** A frozen model of images as a plan sees it: what identifies it, and how to open it. */
export interface ImageModel {
  readonly name: string;
  /** Everything that its features depend on. */
  readonly identity: Json;
  /** Of one image; unknown of a model that comes as a graph. */
  readonly cost?: FeatureCost;
  readonly openEncoder: (choice: SessionChoice) => Promise<OpenImageEncoder>;
}

/** A target model, with its last linear layer. */
export interface TargetModel extends ImageModel {
  /** The weight of the last linear layer, [classes, width]: row k is the gradient of logit k. */
  readonly lastLayerWeight: (choice: SessionChoice) => Promise<Tensor>;
}

/** The card beside shipped weights, as far as loading needs it. */
const cardSchema = z.looseObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/**
 * A backbone with the weights of a profile, or a user's own ONNX classifier. The hash of shipped
 * weights must be that of the card beside them, of released ones that in the file's name.
 */
async function targetModel(
  name: string,
  { spec: { root }, profile }: { readonly spec: PlanSpec; readonly profile: Profile },
): Promise<TargetModel> {
  const path = join(root, "configs", "backbones", `${name}.json`);
  const config = await loadConfig(path, backboneSchema);
  if (config.family === "onnx") return await onnxTarget(config, { root });
  const sized = atScale(config, profile.scale);
  const file = join(root, profile.weights.replaceAll("{name}", name));
  const expected = profile.scale === "world"
    ? { sha256: (await loadConfig(cardPath(file), cardSchema)).sha256 }
    : released(config.weights);
  return {
    name,
    identity: { ...sized, weights: await fileHash(file) } as unknown as Json,
    cost: featureCost(sized),
    openEncoder: async (choice) => {
      const { tensors: weights } = await loadWeights(file, expected);
      const backbone = await openBackbone(sized, { weights, ...choice, outputs: ["features"] });
      return encoderOf(backbone, sized.preprocess);
    },
    lastLayerWeight: async () => {
      const { tensors } = await loadWeights(file, expected);
      return lastLayerOf(sized, tensors).weight;
    },
  };
}

async function onnxTarget(
  config: OnnxBackbone,
  { root }: Pick<PlanSpec, "root">,
): Promise<TargetModel> {
  const located = {
    ...config,
    file: resolve(root, config.file),
    classNames: resolve(root, config.classNames),
  };
  return {
    name: config.name,
    identity: { ...config, weights: await fileHash(located.file) } as unknown as Json,
    openEncoder: async (choice) =>
      encoderOf(await openOnnxClassifier(located, choice), config.preprocess),
    lastLayerWeight: async (choice) => {
      const classifier = await openOnnxClassifier(located, choice);
      await classifier.close();
      return classifier.lastLayer.weight;
    },
  };
}

function encoderOf(backbone: Backbone, preprocess: PreprocessSpec): OpenImageEncoder {
  return {
    preprocess,
    encode: async (pixels, count) => (await backbone.run(pixels, count, ["features"])).features,
    close: () => backbone.close(),
  };
}

/** A VL model: one more image model, which also knows how to encode texts. */
export interface VlImageModel extends ImageModel {
  readonly config: HubModelConfig;
  readonly embedTexts: (texts: readonly string[], choice: SessionChoice) => Promise<Tensor>;
}

/** The VL model of a profile, or another one by name. */
async function vlImageModel(
  name: string,
  { root }: Pick<PlanSpec, "root">,
): Promise<VlImageModel> {
  const config = await loadConfig(join(root, "configs", "vl", `${name}.json`), hubModelSchema);
  const located = "folder" in config ? { ...config, folder: join(root, config.folder) } : config;
  const hubFolder = join(root, "data", "hub");
  const open = (choice: SessionChoice) => openVlModel(located, { ...choice, hubFolder });
  return {
    name,
    config,
    identity: { name, hash: await orMissing(vlModelHash(located, { hubFolder })) },
    openEncoder: async (choice) => {
      const model = await open(choice);
      return {
        preprocess: model.preprocess,
        encode: (pixels, count) => model.embedImages(pixels, count),
        close: () => model.close(),
      };
    },
    embedTexts: async (texts, choice) => {
      const model = await open(choice);
      try {
        return await model.embedTexts(texts);
      } finally {
        await model.close();
      }
    },
  };
}

/**
 * A hash, or "missing" where the files are not there: a plan can still be shown, and running it says
 * what to bring.
 */
export async function orMissing(hash: Promise<string>): Promise<string> {
  return await hash.catch((error) => {
    if (error instanceof UserError) return "missing";
    throw error;
  });
}

function cardPath(weights: string): string {
  return join(dirname(weights), `${basename(weights, ".safetensors")}.json`);
}

function released(
  { sha256Prefix, sha1 }: { sha256Prefix?: string | undefined; sha1?: string | undefined },
) {
  return {
    ...(sha256Prefix !== undefined && { sha256Prefix }),
    ...(sha1 !== undefined && { sha1 }),
  };
}
