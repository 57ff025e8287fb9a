import type { OpenImageEncoder } from "../activations/mod.ts";
import {
  type HubModelConfig,
  type OnnxBackbone,
  type PreprocessSpec,
  type SizedBackbone,
} from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import {
  type Backbone,
  type GradCam,
  type LastLayer,
  lastLayerName,
  lastLayerOf,
  loadWeights,
  type LogitGradients,
  openBackbone,
  openGradCam,
  openLogitGradients,
  openOnnxClassifier,
  openOwnModel,
  openVlModel,
  type OwnModel,
  pooledFeatures,
  readLastLayer,
  type VlModel,
} from "../models/mod.ts";
import type { Device } from "../onnx/mod.ts";

/** Where a model is and how it is opened, as data: what a plan tells a worker. */
export type ModelHow =
  | { readonly type: "built"; readonly config: SizedBackbone; readonly file: string }
  | { readonly type: "onnx"; readonly config: OnnxBackbone }
  | { readonly type: "own"; readonly config: OwnModel }
  | { readonly type: "vl"; readonly config: HubModelConfig; readonly hubFolder: string };

/** A model of logits, of which the tables are made. */
export type TargetHow = Extract<ModelHow, { readonly type: "built" | "onnx" }>;

/** How a model's session runs. */
export interface SessionChoice {
  readonly device: Device;
  readonly threads: number;
}

/** Opens a model as an encoder of images that gives one of its outputs. */
export async function openEncoder(
  how: ModelHow,
  { output, remark, ...choice }: SessionChoice & {
    readonly output: string;
    /** Told what of a weights file was chosen and what left out. */
    readonly remark: (sentence: string) => void;
  },
): Promise<OpenImageEncoder> {
  if (how.type === "vl") {
    const model = await openVlModel(how.config, { ...choice, hubFolder: how.hubFolder });
    return {
      preprocess: model.preprocess,
      encode: (pixels, count) => model.embedImages(pixels, count),
      close: () => model.close(),
    };
  }
  if (how.type === "onnx") {
    return encoderOf(await openOnnxClassifier(how.config, choice), {
      preprocess: how.config.preprocess,
      output,
    });
  }
  if (how.type === "own") {
    const { file, input, layer, preprocess } = how.config;
    const model = await openOwnModel({ file, input, values: [layer] }, choice);
    return {
      preprocess,
      imageSize: input.imageSize,
      encode: async (pixels, count) =>
        pooledFeatures((await model.run(pixels, count))[layer]!, { name: layer, images: count }),
      close: () => model.close(),
    };
  }
  const { tensors: weights, remarks } = await loadWeights(how.file);
  for (const clause of remarks) remark(`The weights of ${how.config.name}: ${clause}.`);
  const backbone = await openBackbone(how.config, { weights, ...choice, outputs: [output] });
  return encoderOf(backbone, { preprocess: how.config.preprocess, output });
}

function encoderOf(
  backbone: Backbone,
  { preprocess, output }: { readonly preprocess: PreprocessSpec; readonly output: string },
): OpenImageEncoder {
  return {
    preprocess,
    imageSize: backbone.imageSize,
    encode: async (pixels, count) => (await backbone.run(pixels, count, [output]))[output]!,
    close: () => backbone.close(),
  };
}

/**
 * A target model's last linear layer, weight [logits, width], read without opening a session; with
 * the names of its logits where the model brings its own.
 */
export async function loadLastLayer(
  how: TargetHow,
): Promise<LastLayer & { readonly classNames: readonly string[] | undefined }> {
  if (how.type === "onnx") return await readLastLayer(how.config);
  // A checkpoint may write prefixes of wrappers before the name.
  const name = lastLayerName(how.config);
  const { tensors } = await loadWeights(how.file, {
    only: (key) => `.${key}`.endsWith(`.${name}.weight`) || `.${key}`.endsWith(`.${name}.bias`),
  });
  return { ...lastLayerOf(how.config, tensors), classNames: undefined };
}

/** A backbone's gradients, with what preprocesses its images. */
export interface OpenGradients extends LogitGradients {
  readonly preprocess: PreprocessSpec;
}

/**
 * Opens the gradients of a target model's logits at one of its inner outputs.
 *
 * @throws {UserError} for a user's own ONNX model, which names no intermediate layer.
 */
export async function openGradients(
  how: TargetHow,
  options: SessionChoice & { readonly output: string },
): Promise<OpenGradients> {
  if (how.type === "onnx") {
    throw new UserError(`Backbone ${how.config.name} names no intermediate features.`);
  }
  const { tensors: weights } = await loadWeights(how.file);
  const gradients = await openLogitGradients(how.config, { weights, ...options });
  return { ...gradients, preprocess: how.config.preprocess };
}

/**
 * Opens Grad-CAM of a target model.
 *
 * @throws {UserError} for a user's own ONNX model, of which the last convolutional map is not known.
 */
export async function openAttention(
  how: TargetHow,
  options: SessionChoice & { readonly cells: number },
): Promise<GradCam> {
  if (how.type === "onnx") {
    throw new UserError(
      `Backbone ${how.config.name} names no last convolutional map, at which Grad-CAM is taken.`,
    );
  }
  const { tensors: weights } = await loadWeights(how.file);
  return await openGradCam(how.config, { weights, ...options });
}

/** Opens a VL model for the time of an action. */
export async function withVlModel<T>(
  how: Extract<ModelHow, { readonly type: "vl" }>,
  choice: SessionChoice,
  action: (model: VlModel) => Promise<T>,
): Promise<T> {
  const model = await openVlModel(how.config, { ...choice, hubFolder: how.hubFolder });
  try {
    return await action(model);
  } finally {
    await model.close();
  }
}
