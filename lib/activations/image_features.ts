import type { PreprocessSpec } from "../config/mod.ts";
import { type ImageSet, preprocess } from "../images/mod.ts";
import type { ArtifactRef, Store } from "../store/mod.ts";
import { readSafetensors, type Tensor, tensor, writeSafetensors, zeros } from "../tensor/mod.ts";

/** A model as a function of a batch of preprocessed images, CHW one after another: [count, width]. */
export type ImageEncoder = (pixels: Float32Array, count: number) => Promise<Tensor>;

/** A loaded model that turns preprocessed images into features. */
export interface OpenImageEncoder {
  readonly preprocess: PreprocessSpec;
  readonly encode: ImageEncoder;
  readonly close: () => Promise<void>;
}

/** How the features of a set of images are computed. */
export interface ImageFeaturesOptions {
  /** Which images of the set, in the order of the rows. */
  readonly indices: ArrayLike<number>;
  /** Images in one run of the model; also the unit that is stored, and lost when a run is killed. */
  readonly batch: number;
  /** Opens the model; called only when a batch is missing. */
  readonly openEncoder: () => Promise<OpenImageEncoder>;
  readonly store: Store;
  /** The address under which the batches are stored; it names the model, images and settings. */
  readonly ref: ArtifactRef;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

/**
 * The features of images, [indices.length, width], batch by batch. Finished batches are in the
 * store, so an interrupted call goes on where it stopped. The next batch is decoded while the model
 * works on the current one; memory holds two batches of pixels and the features.
 */
export async function imageFeatures(
  images: ImageSet,
  options: ImageFeaturesOptions,
): Promise<Tensor> {
  const { indices, batch, store, ref } = options;
  const starts = batchStarts(indices.length, batch);
  const batches = await storedBatches(starts, { store, ref });
  const missing = starts.filter((start) => !batches.has(start));
  if (missing.length > 0) {
    const encoder = await options.openEncoder();
    try {
      for await (
        const [start, features] of encodeBatches(images, missing, { ...options, encoder })
      ) {
        await store.write(batchRef(ref, start), encodeBatch(features));
        batches.set(start, features);
        options.onProgress(Math.min(batches.size * batch, indices.length), indices.length);
      }
    } finally {
      await encoder.close();
    }
  }
  return concatenateRows(starts.map((start) => batches.get(start)!));
}

async function* encodeBatches(
  images: ImageSet,
  starts: readonly number[],
  options: ImageFeaturesOptions & { readonly encoder: OpenImageEncoder },
): AsyncGenerator<readonly [number, Tensor]> {
  const { indices, batch, encoder, signal } = options;
  const pixelsAt = (start: number | undefined) => {
    const pixels = start === undefined ? undefined : batchPixels(images, start, options);
    // A failure surfaces when the batch is awaited, which may be after another one was.
    pixels?.catch(() => {});
    return pixels;
  };
  let next = pixelsAt(starts[0]);
  for (const [position, start] of starts.entries()) {
    signal.throwIfAborted();
    const pixels = await next!;
    next = pixelsAt(starts[position + 1]);
    yield [start, await encoder.encode(pixels, Math.min(batch, indices.length - start))];
  }
}

/**
 * The features that an earlier call stored, or `undefined` when a batch is missing or corrupt.
 *
 * @param options.rows how many images they are of.
 */
export async function storedImageFeatures(
  { rows, batch, store, ref }: {
    readonly rows: number;
    readonly batch: number;
    readonly store: Store;
    readonly ref: ArtifactRef;
  },
): Promise<Tensor | undefined> {
  const starts = batchStarts(rows, batch);
  const batches = await storedBatches(starts, { store, ref });
  if (batches.size < starts.length) return undefined;
  return concatenateRows(starts.map((start) => batches.get(start)!));
}

async function storedBatches(
  starts: readonly number[],
  { store, ref }: { readonly store: Store; readonly ref: ArtifactRef },
): Promise<Map<number, Tensor>> {
  const batches = new Map<number, Tensor>();
  for (const start of starts) {
    const stored = await store.read(batchRef(ref, start));
    if (stored !== undefined) batches.set(start, decodeBatch(stored));
  }
  return batches;
}

function batchStarts(rows: number, batch: number): number[] {
  return Array.from({ length: Math.ceil(rows / batch) }, (_, i) => i * batch);
}

/** The rows of several matrices of one width, one under another. */
export function concatenateRows(matrices: readonly Tensor[]): Tensor {
  const rows = matrices.reduce((sum, matrix) => sum + matrix.shape[0]!, 0);
  const all = zeros([rows, matrices[0]?.shape[1] ?? 0]);
  let offset = 0;
  for (const { data } of matrices) {
    all.data.set(data, offset);
    offset += data.length;
  }
  return all;
}

async function batchPixels(
  images: ImageSet,
  start: number,
  { indices, batch, encoder }: ImageFeaturesOptions & { readonly encoder: OpenImageEncoder },
): Promise<Float32Array> {
  const count = Math.min(batch, indices.length - start);
  const inputs = await Promise.all(Array.from({ length: count }, async (_, position) => {
    const index = indices[start + position]!;
    const image = await images.decode(await images.read(index), images.ids[index]!);
    return preprocess(image, encoder.preprocess);
  }));
  const size = inputs[0]!.length;
  const pixels = new Float32Array(count * size);
  for (const [position, input] of inputs.entries()) pixels.set(input, position * size);
  return pixels;
}

function batchRef(ref: ArtifactRef, start: number): ArtifactRef {
  return { ...ref, part: `rows-${String(start).padStart(8, "0")}` };
}

function encodeBatch(features: Tensor): Uint8Array {
  const width = features.data.length / features.shape[0]!;
  const flat = tensor([features.shape[0]!, width], features.data);
  return writeSafetensors(new Map([["features", flat]]), {}, { dtype: "F32" });
}

function decodeBatch(bytes: Uint8Array): Tensor {
  return readSafetensors(bytes).tensors.get("features")!;
}
