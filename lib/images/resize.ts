import type { RgbImage } from "./image.ts";

/** A rectangle of the resized image, in its pixels. */
export interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

interface Filter {
  /** Half the filter's width, in source pixels when enlarging. */
  readonly support: number;
  weight(x: number): number;
}

const filters: Readonly<Record<"bilinear" | "bicubic", Filter>> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weight: (x) => cubic(Math.abs(x)) },
};

function cubic(x: number): number {
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * -0.5;
  return 0;
}

/** Fixed-point bits of a coefficient: what 32 bits leave beside a byte and the filter's overshoot. */
const precisionBits = 22;

/**
 * Resizes as Pillow's `Image.resize(size, resample)` does, to the bit: an antialiased separable
 * filter whose support grows with the reduction, its coefficients in 22-bit fixed point, one pass
 * along rows and one along columns, each rounded to bytes. The rows come first unless the height
 * shrinks by more than twice as many pixels as the width (Pillow 13; older ones never swap).
 *
 * @param options.window computes only this part of the result (default: all of it).
 */
export function resize(
  image: RgbImage,
  size: { readonly width: number; readonly height: number },
  options: { readonly interpolation: "bilinear" | "bicubic"; readonly window?: Window },
): RgbImage {
  const filter = filters[options.interpolation];
  const window = options.window ?? { left: 0, top: 0, ...size };
  if (image.width === size.width && image.height === size.height) return crop(image, window);
  const columns = coefficients([image.width, size.width], [window.left, window.width], filter);
  const rows = coefficients([image.height, size.height], [window.top, window.height], filter);
  const shrunk = image.height - size.height;
  if (shrunk > 0 && shrunk > (image.width - size.width) * 2) {
    const partly = alongColumns(image, rows, { firstRow: 0, columns });
    return alongRows(partly, columns, { firstColumn: columns.first, rows: whole(rows.count) });
  }
  const partly = alongRows(image, columns, { firstColumn: 0, rows });
  return alongColumns(partly, rows, { firstRow: rows.first, columns: whole(columns.count) });
}

/** The window of an image that keeps its size. */
function crop({ width, data }: RgbImage, window: Window): RgbImage {
  const cropped = new Uint8Array(window.width * window.height * 3);
  for (let y = 0; y < window.height; y++) {
    const from = ((window.top + y) * width + window.left) * 3;
    cropped.set(data.subarray(from, from + window.width * 3), y * window.width * 3);
  }
  return { width: window.width, height: window.height, data: cropped };
}

/** Positions along an axis: first .. end - 1. */
interface Span {
  readonly first: number;
  readonly end: number;
}

function whole(count: number): Span {
  return { first: 0, end: count };
}

/**
 * For each output position the source positions it draws on and their fixed-point weights; the span
 * is that of the source positions that any output position draws on.
 */
interface Coefficients extends Span {
  readonly count: number;
  /** Weights per output position; unused ones are zero. */
  readonly stride: number;
  readonly weights: Int32Array;
  /** The first source position and the number of source positions of each output position. */
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
}

function coefficients(
  [inputSize, outputSize]: readonly [number, number],
  [offset, count]: readonly [number, number],
  filter: Filter,
): Coefficients {
  const scale = inputSize / outputSize;
  const reduction = Math.max(scale, 1);
  const support = filter.support * reduction;
  const stride = Math.ceil(support) * 2 + 1;
  const weights = new Int32Array(count * stride);
  const starts = new Int32Array(count);
  const lengths = new Int32Array(count);
  const exact = new Float64Array(stride);
  const step = 1 / reduction;
  for (let i = 0; i < count; i++) {
    const centre = (offset + i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const length = Math.min(inputSize, Math.trunc(centre + support + 0.5)) - start;
    let sum = 0;
    for (let k = 0; k < length; k++) {
      exact[k] = filter.weight((k + start - centre + 0.5) * step);
      sum += exact[k]!;
    }
    for (let k = 0; k < length; k++) {
      const weight = sum === 0 ? exact[k]! : exact[k]! / sum;
      weights[i * stride + k] = Math.trunc(
        weight * (1 << precisionBits) + (weight < 0 ? -0.5 : 0.5),
      );
    }
    starts[i] = start;
    lengths[i] = length;
  }
  const last = count - 1;
  return {
    count,
    stride,
    weights,
    starts,
    lengths,
    first: starts[0] ?? 0,
    end: last < 0 ? 0 : starts[last]! + lengths[last]!,
  };
}

/** Resizes the given rows; column 0 of `image` is `firstColumn` of the source. */
function alongRows(
  image: RgbImage,
  columns: Coefficients,
  { firstColumn, rows }: { readonly firstColumn: number; readonly rows: Span },
): RgbImage {
  const { count, stride, weights, starts, lengths } = columns;
  const height = rows.end - rows.first;
  const source = image.data;
  const resized = new Uint8Array(count * height * 3);
  const half = 1 << (precisionBits - 1);
  let target = 0;
  for (let y = 0; y < height; y++) {
    const rowOffset = (rows.first + y) * image.width - firstColumn;
    for (let x = 0; x < count; x++) {
      let red = half, green = half, blue = half;
      let from = (rowOffset + starts[x]!) * 3;
      const end = x * stride + lengths[x]!;
      for (let k = x * stride; k < end; k++) {
        const weight = weights[k]!;
        red += source[from]! * weight;
        green += source[from + 1]! * weight;
        blue += source[from + 2]! * weight;
        from += 3;
      }
      resized[target] = clip(red);
      resized[target + 1] = clip(green);
      resized[target + 2] = clip(blue);
      target += 3;
    }
  }
  return { width: count, height, data: resized };
}

/** Resizes the given columns; row 0 of `image` is `firstRow` of the source. */
function alongColumns(
  image: RgbImage,
  rows: Coefficients,
  { firstRow, columns }: { readonly firstRow: number; readonly columns: Span },
): RgbImage {
  const width = columns.end - columns.first;
  const source = image.data;
  const resized = new Uint8Array(width * rows.count * 3);
  const sums = new Int32Array(width * 3);
  for (let y = 0; y < rows.count; y++) {
    sums.fill(1 << (precisionBits - 1));
    for (let k = 0; k < rows.lengths[y]!; k++) {
      const weight = rows.weights[y * rows.stride + k]!;
      const from = ((rows.starts[y]! - firstRow + k) * image.width + columns.first) * 3;
      for (let j = 0; j < sums.length; j++) sums[j]! += source[from + j]! * weight;
    }
    const target = y * sums.length;
    for (let j = 0; j < sums.length; j++) resized[target + j] = clip(sums[j]!);
  }
  return { width, height: rows.count, data: resized };
}

/** A fixed-point sum as a byte. */
function clip(sum: number): number {
  const value = sum >> precisionBits;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}
