import { dirname } from "node:path";
import type { PreprocessSpec } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import { type Device, type FeedTensor, type Session, withOutputs } from "../onnx/mod.ts";
import { type Tensor, tensor, zeros } from "../tensor/mod.ts";
import { runInBatches } from "./_batches.ts";
import { openModelSession } from "./backbone.ts";
import { parseOnnx, readOnnxFile } from "./_onnx_file.ts";

/** The input of a model that takes the images. */
export interface ImageInput {
  readonly name: string;
  /** The order of its axes: [batch, 3, side, side] or [batch, side, side, 3]. */
  readonly layout: "nchw" | "nhwc";
  /** The type of its numbers; bytes are pixels from 0 to 255. */
  readonly type: "float" | "uint8";
  /** Side of the images in pixels. */
  readonly imageSize: number;
  /** The batch that the file was exported with, where any other is refused. */
  readonly batch?: number;
}

/** A user's own ONNX model, as far as features need to know it. */
export interface OwnModel {
  /** For people. */
  readonly name: string;
  /** The path of the ONNX file. */
  readonly file: string;
  readonly input: ImageInput;
  /** The value of the graph whose numbers are the features. */
  readonly layer: string;
  readonly preprocess: PreprocessSpec;
}

/** An ONNX model that computes some of its values for preprocessed images. */
export interface OpenOwnModel {
  /** The values of `count` images, CHW one after another: each [count, ...]. */
  readonly run: (
    pixels: Float32Array,
    count: number,
  ) => Promise<Readonly<Record<string, Tensor>>>;
  readonly close: () => Promise<void>;
}

/**
 * Opens an ONNX model to compute any of its values. Images are fed in the layout, type and batch that
 * the file asks for.
 *
 * @throws {UserError} when the file is missing or no model, a value is not in it, or the runtime
 * refuses it.
 */
export async function openOwnModel(
  { file, input, values }: {
    readonly file: string;
    readonly input: ImageInput;
    readonly values: readonly string[];
  },
  { device, threads }: { readonly device?: Device; readonly threads?: number } = {},
): Promise<OpenOwnModel> {
  const bytes = await readOnnxFile(file);
  const onnx = parseOnnx(file, bytes);
  const unknown = values.find((value) => !onnx.producers.has(value));
  if (unknown !== undefined) {
    throw new UserError(
      `The ONNX model ${file} has no value ${JSON.stringify(unknown)}. Name one that ` +
        `"cav inspect" lists.`,
    );
  }
  const hidden = values.filter((value) => !onnx.outputs.includes(value));
  const session = await openModelSession(withOutputs(bytes, hidden), {
    device,
    threads,
    externalData: dirname(file),
  }).catch((cause) => {
    if (cause instanceof UserError) throw cause;
    throw new UserError(
      `The runtime refuses the ONNX model ${file}: ${firstLine(cause)}. Export it again.`,
      { cause },
    );
  });
  return {
    run: (pixels, count) => runBatches(session, { pixels, count, input, values, file }),
    close: () => session.close(),
  };
}

/**
 * A feature of each image as a flat row: a map is averaged over its positions, tokens
 * [count, tokens, width] over the tokens. Of a map the two extents that are equal are height and
 * width: [count, channels, side, side], or [count, side, side, channels].
 *
 * @throws {UserError} when the value is no such thing.
 */
export function pooledFeatures(
  value: Tensor,
  { name, images }: { readonly name: string; readonly images: number },
): Tensor {
  const { shape, data } = value;
  const [count = 0, second = 1, third = 1, fourth = 1] = shape;
  if (count !== images) throw noFeature(name, shape);
  if (shape.length === 2) return value;
  if (shape.length === 4 && third === fourth) {
    return means(data, { rows: count, width: second, over: third * fourth, stride: 1 });
  }
  if (shape.length === 4 && second === third) {
    return means(data, { rows: count, width: fourth, over: second * third, stride: fourth });
  }
  if (shape.length === 3) {
    return means(data, { rows: count, width: third, over: second, stride: third });
  }
  throw noFeature(name, shape);
}

function noFeature(name: string, shape: readonly number[]): UserError {
  return new UserError(
    `The value ${name} is [${shape}] and cannot be a feature. Name one with a row for each image: a ` +
      `vector, tokens or a square map.`,
  );
}

/** Means over `over` numbers that lie `stride` apart, or one after another. */
function means(
  data: Float32Array,
  { rows, width, over, stride }: {
    readonly rows: number;
    readonly width: number;
    readonly over: number;
    readonly stride: number;
  },
): Tensor {
  const pooled = zeros([rows, width]);
  for (let row = 0; row < rows; row++) {
    for (let at = 0; at < width; at++) {
      const start = row * width * over + (stride === 1 ? at * over : at);
      let sum = 0;
      for (let i = 0; i < over; i++) sum += data[start + i * stride]!;
      pooled.data[row * width + at] = sum / over;
    }
  }
  return pooled;
}

async function runBatches(
  session: Session,
  { pixels, count, input, values, file }: {
    readonly pixels: Float32Array;
    readonly count: number;
    readonly input: ImageInput;
    readonly values: readonly string[];
    readonly file: string;
  },
): Promise<Record<string, Tensor>> {
  const { imageSize, batch = count } = input;
  const parts = await runInBatches(
    { pixels, count, imageSize, batch },
    (images) =>
      session.run({ [input.name]: feedOf(images, { ...input, batch }) }, [...values]).catch(
        (cause) => {
          throw new UserError(`Running the ONNX model ${file} failed: ${firstLine(cause)}.`, {
            cause,
          });
        },
      ),
  );
  return Object.fromEntries(
    values.map((name) => [name, joined(parts.map((part) => part[name]!), { name, batch, count })]),
  );
}

/** Batches one below the other, without the images that filled up the last one. */
function joined(
  parts: readonly Tensor[],
  { name, batch, count }: { readonly name: string; readonly batch: number; readonly count: number },
): Tensor {
  // A value that has no row an image is found out by whoever wants rows.
  if (parts.length === 1 && batch === count) return parts[0]!;
  const [, ...rest] = parts[0]!.shape;
  const width = rest.reduce((product, extent) => product * extent, 1);
  const all = new Float32Array(parts.length * batch * width);
  for (const [index, { shape, data }] of parts.entries()) {
    if (shape[0] !== batch) throw noFeature(name, shape);
    all.set(data, index * batch * width);
  }
  return tensor([count, ...rest], all.subarray(0, count * width));
}

/** Preprocessed pixels [batch, 3, side, side] as the model takes them. */
function feedOf(
  pixels: Float32Array,
  { layout, type, imageSize, batch = 1 }: ImageInput,
): FeedTensor {
  const shape = layout === "nchw"
    ? [batch, 3, imageSize, imageSize]
    : [batch, imageSize, imageSize, 3];
  const data = layout === "nchw" ? pixels : channelsLast(pixels, { batch, area: imageSize ** 2 });
  if (type === "float") return { shape, data };
  return {
    shape,
    data: Uint8Array.from(data, (value) => Math.min(255, Math.max(0, Math.round(value)))),
  };
}

function channelsLast(
  pixels: Float32Array,
  { batch, area }: { readonly batch: number; readonly area: number },
): Float32Array {
  const turned = new Float32Array(pixels.length);
  for (let image = 0; image < batch; image++) {
    for (let channel = 0; channel < 3; channel++) {
      const from = (image * 3 + channel) * area;
      const to = image * 3 * area + channel;
      for (let at = 0; at < area; at++) turned[to + at * 3] = pixels[from + at]!;
    }
  }
  return turned;
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n")[0]!.slice(0, 300);
}
