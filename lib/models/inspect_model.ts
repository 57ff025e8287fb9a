import { dirname } from "node:path";
import type { PreprocessSpec } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import {
  type InnerValue,
  innerValues,
  type OnnxFile,
  operatorsWithoutGradient,
} from "../onnx/mod.ts";
import { type LastLayer } from "./backbone.ts";
import { findLastLayer } from "./_last_layer.ts";
import { parseOnnx, readOnnxFile } from "./_onnx_file.ts";
import { type GuessedPreprocess, guessPreprocess } from "./_guess_preprocess.ts";
import type { ImageInput } from "./own_model.ts";

export type { GuessedPreprocess };

/** What a user may say of a model where the file leaves it open. */
export interface ModelChoices {
  /** The input that takes the images; the only one of four extents when left out. */
  readonly input?: string | undefined;
  /** The value that holds the logits. */
  readonly logits?: string | undefined;
  /** Side of the images in pixels, where the file does not fix it. */
  readonly imageSize?: number | undefined;
  readonly preprocess?: PreprocessSpec | undefined;
}

/** What is found in an ONNX model. */
export interface InspectedModel {
  readonly file: string;
  readonly opset: number;
  readonly inputs: OnnxFile["inputs"];
  readonly outputs: readonly string[];
  readonly image: ImageInput;
  /** The value before a softmax or sigmoid at the end. */
  readonly logits: string;
  /** The last linear layer and the value that goes into it, or why none was found. */
  readonly lastLayer:
    | (LastLayer & { readonly features: string })
    | { readonly reason: string };
  readonly preprocess: GuessedPreprocess;
  /** The values that all that the logits depend on goes through, in the order of computation. */
  readonly layers: readonly InnerValue[];
  readonly withoutGradient: readonly string[];
}

/**
 * Looks into an ONNX model; nothing of it is run.
 *
 * @throws {UserError} when the file is missing, no model, takes no images or has no such value.
 */
export async function inspectModel(
  file: string,
  choices: ModelChoices = {},
): Promise<InspectedModel> {
  const bytes = await readOnnxFile(file);
  const onnx = parseOnnx(file, bytes);
  const image = imageInputOf(onnx, { file, ...choices });
  const logits = logitsOf(onnx, { file, named: choices.logits });
  const values = reading(file, () => innerValues(bytes, { of: logits }));
  return {
    file,
    opset: onnx.opset,
    inputs: onnx.inputs,
    outputs: onnx.outputs,
    image,
    logits,
    lastLayer: await lastLayerOf(onnx, { file, logits }),
    preprocess: choices.preprocess === undefined
      ? await guessPreprocess(onnx, { image, folder: dirname(file) })
      : { spec: choices.preprocess, certainty: "given", why: "as you said" },
    layers: values.filter(({ isBottleneck, operator }) => isBottleneck && operator !== undefined),
    withoutGradient: reading(file, () => operatorsWithoutGradient(bytes, { of: logits })),
  };
}

/** Side of the images that ImageNet's models take, where a file does not say. */
const usualSize = 224;

function imageInputOf(
  { inputs }: OnnxFile,
  { file, input: named, imageSize, preprocess }: ModelChoices & { readonly file: string },
): ImageInput {
  const names = inputs.map(({ name, type, shape }) =>
    `${name} ${type} [${shape.map((extent) => extent ?? "?")}]`
  ).join("; ");
  const candidates = inputs.filter(({ name, shape }) =>
    named === undefined ? shape.length === 4 : name === named
  );
  const [found, ...others] = candidates;
  const refuse = (what: string): never => {
    throw new UserError(`The ONNX model ${file} ${what}; its inputs are ${names || "none"}.`);
  };
  if (found === undefined) {
    return refuse(named === undefined ? "has no input of images" : `has no input "${named}"`);
  }
  if (others.length > 0) return refuse("has several inputs of four extents: name one with --input");
  if (inputs.length > 1) return refuse("needs more than the images, which cannot be given");
  const { name, type, shape: [batch, second, third, fourth] } = found;
  if (type === "float16") return refuse("takes half precision: export it with 32-bit floats");
  if (type !== "float" && type !== "uint8") {
    return refuse("takes images of another type than float and uint8");
  }
  const isLast = second !== 3 && fourth === 3;
  const [channels, height, width] = isLast ? [fourth, second, third] : [second, third, fourth];
  if ((channels ?? 3) !== 3 || found.shape.length !== 4) {
    return refuse("takes no images of three channels, [batch, 3, side, side] or channels last");
  }
  if ((height ?? width) !== (width ?? height)) return refuse("takes images that are not square");
  const fixed = height ?? width;
  const wanted = imageSize ?? preprocess?.crop ?? undefined;
  if (fixed !== undefined && wanted !== undefined && fixed !== wanted) {
    return refuse(`takes images of side ${fixed}, not ${wanted}`);
  }
  return {
    name,
    layout: isLast ? "nhwc" : "nchw",
    type,
    imageSize: fixed ?? wanted ?? usualSize,
    ...(batch !== undefined && { batch }),
  };
}

/** What turns logits into shares; the logits are what goes into it. */
const shares = ["Softmax", "LogSoftmax", "Sigmoid"];
const sameNumbers = ["Identity", "Dropout", "Flatten", "Reshape", "Squeeze", "Cast"];

/** The logits: the named value or output, or of several outputs the first that a linear layer makes. */
function logitsOf(
  onnx: OnnxFile,
  { file, named }: { readonly file: string; readonly named: string | undefined },
): string {
  if (named !== undefined) {
    if (onnx.producers.has(named)) return named;
    throw new UserError(
      `The ONNX model ${file} has no value "${named}", which --logits names; its outputs are ${
        onnx.outputs.join(", ")
      }.`,
    );
  }
  const candidates = onnx.outputs.filter((output) => onnx.producers.has(output))
    .map((output) => beforeShares(onnx, output));
  const linear = candidates.find((value) =>
    ["Gemm", "MatMul", "Add"].includes(onnx.producers.get(origin(onnx, value))?.operator ?? "")
  );
  const found = linear ?? candidates[0];
  if (found !== undefined) return found;
  throw new UserError(`The ONNX model ${file} computes nothing: it has no output of a node.`);
}

/** The value before a softmax or sigmoid at the end, or the value itself. */
function beforeShares(onnx: OnnxFile, value: string): string {
  const node = onnx.producers.get(origin(onnx, value));
  return node !== undefined && shares.includes(node.operator) ? node.inputs[0]! : value;
}

function origin(onnx: OnnxFile, value: string): string {
  const node = onnx.producers.get(value);
  return node !== undefined && sameNumbers.includes(node.operator)
    ? origin(onnx, node.inputs[0]!)
    : value;
}

async function lastLayerOf(
  onnx: OnnxFile,
  { file, logits }: { readonly file: string; readonly logits: string },
): Promise<InspectedModel["lastLayer"]> {
  try {
    const { features, weight, bias } = await findLastLayer(onnx, { file, logits });
    return { features, weight, bias };
  } catch (error) {
    if (error instanceof UserError || error instanceof RangeError) return { reason: error.message };
    throw error;
  }
}

/** What the reader finds wrong with a graph is the user's mistake. */
function reading<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof UserError || !(cause instanceof Error)) throw cause;
    throw new UserError(`Reading the ONNX model ${file}: ${cause.message} Export it again.`, {
      cause,
    });
  }
}
