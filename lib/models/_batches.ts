import type { Tensor } from "../tensor/mod.ts";

/**
 * Runs a model over images in the batches that its file was exported with, all at once where any will
 * do; the last batch is filled up with zeros.
 *
 * @param pixels preprocessed images, one after another, of three channels each.
 * @returns what `run` gave of each batch, in their order.
 * @throws {RangeError} when the pixels are of another number of images.
 */
export async function runInBatches(
  { pixels, count, imageSize, batch }: {
    readonly pixels: Float32Array;
    readonly count: number;
    readonly imageSize: number;
    readonly batch: number;
  },
  run: (pixels: Float32Array) => Promise<Record<string, Tensor>>,
): Promise<Record<string, Tensor>[]> {
  const imageLength = 3 * imageSize ** 2;
  if (pixels.length !== count * imageLength) {
    throw new RangeError(
      `${count} images hold ${count * imageLength} pixels, not ${pixels.length}.`,
    );
  }
  const parts: Record<string, Tensor>[] = [];
  for (let start = 0; start < count; start += batch) {
    const images = pixels.subarray(start * imageLength, (start + batch) * imageLength);
    parts.push(await run(filledUp(images, batch * imageLength)));
  }
  return parts;
}

function filledUp(images: Float32Array, length: number): Float32Array {
  if (images.length === length) return images;
  const padded = new Float32Array(length);
  padded.set(images);
  return padded;
}
