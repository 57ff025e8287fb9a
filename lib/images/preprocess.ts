import type { PreprocessSpec } from "../config/mod.ts";
import type { RgbImage } from "./image.ts";
import { resize } from "./resize.ts";

/** A size in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The size of what {@linkcode preprocess} gives for an image of size `input`. */
export function outputSize(spec: PreprocessSpec, input: Size): Size {
  return spec.crop === null ? resizedSize(spec, input) : { width: spec.crop, height: spec.crop };
}

/**
 * An image as a model's input, [3, height, width], equal to torchvision's
 * `Resize, CenterCrop, ToTensor, Normalize` on a Pillow image (`rules: "transformers"`: to its CLIP
 * processor). A crop larger than the image is padded with black.
 */
export function preprocess(image: RgbImage, spec: PreprocessSpec): Float32Array {
  const resized = resizedSize(spec, image);
  const output = outputSize(spec, image);
  const rules = spec.rules ?? "torchvision";
  const x = cropSpan(resized.width, output.width, rules);
  const y = cropSpan(resized.height, output.height, rules);
  const window = { left: x.from, top: y.from, width: x.length, height: y.length };
  const pixels = resize(image, resized, { interpolation: spec.interpolation, window }).data;
  const tables = [0, 1, 2].map((channel) => normalisedBytes(spec, channel));
  const plane = output.width * output.height;
  const input = new Float32Array(3 * plane);
  for (const [channel, table] of tables.entries()) {
    const target = input.subarray(channel * plane, (channel + 1) * plane);
    if (x.length * y.length < plane) target.fill(table[0]!);
    for (let row = 0; row < y.length; row++) {
      let to = (y.to + row) * output.width + x.to;
      let from = row * x.length * 3 + channel;
      for (let column = 0; column < x.length; column++) {
        target[to++] = table[pixels[from]!]!;
        from += 3;
      }
    }
  }
  return input;
}

/**
 * The pixels of a model's input as a person sees them: what {@linkcode preprocess} gave, before it was
 * normalised, to the bit.
 *
 * @param input [3, height, width].
 */
export function shownPixels(
  input: Float32Array,
  { spec, width, height }: Size & { readonly spec: PreprocessSpec },
): RgbImage {
  const plane = width * height;
  const data = new Uint8Array(3 * plane);
  for (const channel of [0, 1, 2]) {
    const [mean, std] = [spec.mean[channel]!, spec.std[channel]!];
    for (let i = 0; i < plane; i++) {
      data[3 * i + channel] = Math.round(255 * (input[channel * plane + i]! * std + mean));
    }
  }
  return { width, height, data };
}

/** The size after resizing: the longer side is cut to whole pixels, as both libraries do. */
function resizedSize({ resize }: PreprocessSpec, { width, height }: Size): Size {
  if (resize === null) return { width, height };
  if (!("shorter" in resize)) return resize;
  const { shorter } = resize;
  return width <= height
    ? { width: shorter, height: Math.trunc(shorter * height / width) }
    : { width: Math.trunc(shorter * width / height), height: shorter };
}

/** Along one axis: the `length` positions that are copied, from where, and to where. */
function cropSpan(size: number, crop: number, rules: "torchvision" | "transformers") {
  const spare = Math.abs(size - crop) / 2;
  if (crop > size) {
    const to = rules === "torchvision" ? Math.floor(spare) : Math.ceil(spare);
    return { from: 0, to, length: size };
  }
  return {
    from: rules === "torchvision" ? roundHalfToEven(spare) : Math.floor(spare),
    to: 0,
    length: crop,
  };
}

/** Python's round(). */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + floor % 2 : Math.round(value);
}

/** The input value of each of the 256 bytes in one channel, every step in float32. */
function normalisedBytes(spec: PreprocessSpec, channel: number): Float32Array {
  const f = Math.fround;
  const mean = f(spec.mean[channel]!);
  const std = f(spec.std[channel]!);
  // transformers multiplies by 1/255 in float64, torchvision divides by 255 in float32.
  const unit = spec.rules === "transformers"
    ? (byte: number) => f(byte * (1 / 255))
    : (byte: number) => f(byte / 255);
  return Float32Array.from({ length: 256 }, (_, byte) => f(f(unit(byte) - mean) / std));
}
