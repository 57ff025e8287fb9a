import { dirname } from "node:path";
import { UserError } from "../files/mod.ts";
import { differentiate, gradientName, openSession, tailOf } from "../onnx/mod.ts";
import { createRandom, norm, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import type { InspectedModel } from "./inspect_model.ts";
import { readOnnxFile } from "./_onnx_file.ts";
import { openOwnModel } from "./own_model.ts";

/** A gradient beside what finite differences give. */
export interface GradientCheck {
  readonly layer: string;
  /** The logit that was differentiated: the largest of the image. */
  readonly logit: number;
  /** Length of the gradient, which is the derivative along it. */
  readonly gradient: number;
  /** The same derivative as a central difference. */
  readonly difference: number;
  /** Their difference as a share of the gradient. */
  readonly error: number;
}

/** Step of the central difference, as a share of the feature's length: float32 has seven digits. */
const step = 1e-3;

/**
 * Compares the gradient of a logit at a layer, as the graph's derivative gives it, with a central
 * difference through the part of the model behind that layer, at one image of noise.
 *
 * @throws {UserError} when an operator has no gradient, or a path leads around the layer.
 */
export async function checkGradient(
  { file, image, logits }: Pick<InspectedModel, "file" | "image" | "logits">,
  { layer }: { readonly layer: string },
): Promise<GradientCheck> {
  const bytes = await readOnnxFile(file);
  const externalData = dirname(file);
  const { feature, scores } = await valuesOfNoise({ file, image, logits }, { layer });
  const classes = scores.data.length;
  const logit = scores.data.indexOf(Math.max(...scores.data));
  const tail = tailOf(bytes, { from: layer, to: logits });
  const chosen = tensor(
    scores.shape,
    Float32Array.from({ length: classes }, (_, i) => +(i === logit)),
  );
  const backwards = await openSession(differentiate(tail, { of: logits, at: [layer] }), {
    externalData,
  }).catch((cause) => {
    throw new UserError(
      `The derivative of ${logits} at ${layer} cannot be run (${
        String(cause.message).split("\n")[0]
      }); gradients are of 32-bit floats.`,
      { cause },
    );
  });
  const wanted = gradientName(layer);
  let gradient: Tensor;
  try {
    const feeds = { [layer]: feature, [gradientName(logits)]: chosen };
    gradient = (await backwards.run(feeds, [wanted]))[wanted]!;
  } finally {
    await backwards.close();
  }
  const length = norm(gradient.data);
  if (length === 0) return { layer, logit, gradient: 0, difference: 0, error: 0 };
  const size = step * Math.max(norm(feature.data), 1e-6);
  const forwards = await openSession(tail, { externalData });
  try {
    const logitAt = async (sign: number) => {
      const moved = feature.data.map((value, i) =>
        value + sign * size * gradient.data[i]! / length
      );
      const run = await forwards.run({ [layer]: tensor(feature.shape, moved) }, [logits]);
      return run[logits]!.data[logit]!;
    };
    const difference = (await logitAt(1) - await logitAt(-1)) / (2 * size);
    return {
      layer,
      logit,
      gradient: length,
      difference,
      error: Math.abs(difference - length) / length,
    };
  } finally {
    await forwards.close();
  }
}

/**
 * {@linkcode checkGradient} at a layer, or at the last one that has a gradient; why not, where the
 * graph allows none.
 *
 * @throws {UserError} when a named layer has none.
 */
export async function tryGradient(
  inspected: InspectedModel,
  { layer: named }: { readonly layer?: string | undefined },
): Promise<GradientCheck | { readonly reason: string }> {
  const { lastLayer, layers } = inspected;
  const usual = "features" in lastLayer
    ? lastLayer.features
    : layers.findLast(({ hasGradient }) => hasGradient)?.name;
  const layer = named ?? usual;
  if (layer === undefined) return { reason: "no layer has a gradient" };
  try {
    return await checkGradient(inspected, { layer });
  } catch (error) {
    if (named === undefined && error instanceof UserError) return { reason: error.message };
    throw error;
  }
}

/**
 * The shapes of a model's layers and logits, as it computes them.
 *
 * @throws {UserError} when the runtime refuses the model.
 */
export async function layerShapes(
  { file, image, layers, logits }: InspectedModel,
): Promise<Readonly<Record<string, readonly number[]>>> {
  const names = [...new Set([...layers.map(({ name }) => name), logits])];
  const values = await runOnNoise({ file, image, values: names });
  return Object.fromEntries(names.map((name) => [name, values[name]!.shape]));
}

/** The values at one image of noise, with the batch that the file asks for. */
async function valuesOfNoise(
  { file, image, logits }: Pick<InspectedModel, "file" | "image" | "logits">,
  { layer }: { readonly layer: string },
): Promise<{ readonly feature: Tensor; readonly scores: Tensor }> {
  const values = await runOnNoise({ file, image, values: [layer, logits] });
  return { feature: values[layer]!, scores: values[logits]! };
}

/** Runs a model on noise: one image, or as many as the file was exported for. */
async function runOnNoise(
  { file, image, values }: {
    readonly file: string;
    readonly image: InspectedModel["image"];
    readonly values: readonly string[];
  },
): Promise<Readonly<Record<string, Tensor>>> {
  const model = await openOwnModel({ file, input: image, values });
  const count = image.batch ?? 1;
  const pixels = zeros([count, 3, image.imageSize, image.imageSize]).data;
  const { between } = createRandom("noise");
  const [low, high] = image.type === "uint8" ? [0, 255] : [-1, 1];
  for (let i = 0; i < pixels.length; i++) pixels[i] = between(low!, high!);
  try {
    return await model.run(pixels, count);
  } catch (cause) {
    if (cause instanceof RangeError) throw new UserError(cause.message, { cause });
    throw cause;
  } finally {
    await model.close();
  }
}
