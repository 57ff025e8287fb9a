import type { PreprocessSpec } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import {
  checkImages,
  type ImageSet,
  type NamedImage,
  outputSize,
  preprocessBatch,
  type Size,
  UnreadableImageError,
} from "../images/mod.ts";
import type { ArtifactRef, Store } from "../store/mod.ts";
import { row, type Tensor, zeros } from "../tensor/mod.ts";
import { missingBlocks, rowsPerBlock, writeRowsBlock } from "./feature_rows.ts";

/**
 * A model as a function of a batch of preprocessed images, CHW one after another: [count, ...].
 * `first` is the row of the first of them.
 */
export type ImageEncoder = (
  pixels: Float32Array,
  count: number,
  first: number,
) => Promise<Tensor>;

/** A loaded model that turns preprocessed images into features. */
export interface OpenImageEncoder {
  readonly preprocess: PreprocessSpec;
  /** Side of the images that it takes, where that is fixed. */
  readonly imageSize?: number | undefined;
  readonly encode: ImageEncoder;
  readonly close: () => Promise<void>;
}

/** How the features of a set of images are computed. */
export interface ImageFeaturesOptions {
  /** Which images of the set, in the order of the rows. */
  readonly indices: ArrayLike<number>;
  /** Images in one run of the model; at most `rowsPerBlock`. */
  readonly batch: number;
  readonly encoder: OpenImageEncoder;
  readonly store: Store;
  /** The address under which the rows are stored; it names the model, images and settings. */
  readonly ref: ArtifactRef;
  /** Which blocks of rows, by their number, are computed of those that are not stored; all by default. */
  readonly isWanted?: (block: number) => boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

/**
 * Computes and stores the features of images, one flat row an image, block by block. Blocks that are in
 * the store stay, so an interrupted call goes on where it stopped. The next block is decoded while
 * the model works on the current one; memory holds the pixels of two blocks.
 *
 * @throws {UserError} when an image has another size than the model takes, or than the first one;
 * when features are not finite; or, of all images, how many cannot be read and which.
 */
export async function storeImageFeatures(
  images: ImageSet,
  options: ImageFeaturesOptions,
): Promise<void> {
  const { indices, store, ref, signal, onProgress, isWanted = () => true } = options;
  const total = indices.length;
  const missing = (await missingBlocks(total, { store, ref }))
    .filter((start) => isWanted(start / rowsPerBlock));
  if (missing.length === 0) return;
  const size = await tellingOfAll(images, indices, sizeOf(images, options));
  const pixelsAt = (start: number | undefined) => {
    const pixels = start === undefined
      ? undefined
      : blockPixels(images, start, { ...options, size });
    // A failure surfaces when the part is awaited, which may be after another one was.
    pixels?.catch(() => {});
    return pixels;
  };
  let next = pixelsAt(missing[0]);
  for (const [position, start] of missing.entries()) {
    signal.throwIfAborted();
    const pixels = await tellingOfAll(images, indices, next!);
    next = pixelsAt(missing[position + 1]);
    const features = await encodeBlock(pixels, { ...options, start });
    requireFinite(features, { images, indices, start });
    await writeRowsBlock(features, { store, ref, start });
    onProgress(total - (missing.length - position - 1) * rowsPerBlock, total);
  }
}

/** Seconds that an image takes. */
export interface ImageTime {
  /** Reading, decoding and preprocessing. */
  readonly reading: number;
  readonly encoding: number;
}

/**
 * Measures the first images of a set, a batch at most; nothing is stored. A model that is slow runs
 * on one of them, twice: its first run is no measure of the others.
 */
export async function timeFirstImages(
  images: ImageSet,
  { batch, encoder }: Pick<ImageFeaturesOptions, "batch" | "encoder">,
): Promise<ImageTime> {
  const indices = images.ids.slice(0, Math.min(batch, rowsPerBlock)).map((_, index) => index);
  const size = await sizeOf(images, { indices, encoder });
  const read = (some: readonly number[]) =>
    blockPixels(images, 0, { indices: some, encoder, size });
  const first = await read(indices.slice(0, 1));
  let started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const pixels = await read(indices);
  const reading = seconds() / indices.length;
  const encode = async (count: number) => {
    const input = pixels.slice(0, count * first.length);
    started = performance.now();
    await encoder.encode(input, count, 0);
    return seconds();
  };
  const some = Math.floor(patience / await encode(1));
  const count = Math.min(indices.length, Math.max(1, some));
  return { reading, encoding: await encode(count) / count };
}

/** Seconds for which a measurement runs a model a second time. */
const patience = 0.2;

async function encodeBlock(
  pixels: Float32Array,
  { start, indices, batch, encoder, signal }: ImageFeaturesOptions & { readonly start: number },
): Promise<Tensor> {
  const count = Math.min(rowsPerBlock, indices.length - start);
  const size = pixels.length / count;
  let features: Tensor | undefined;
  for (let first = 0; first < count; first += batch) {
    const some = Math.min(batch, count - first);
    // A copy, since a model may read the buffer that it is given as a whole.
    signal.throwIfAborted();
    const input = pixels.slice(first * size, (first + some) * size);
    const { data } = await encoder.encode(input, some, start + first);
    const width = data.length / some;
    features ??= zeros([count, width]);
    features.data.set(data, first * width);
  }
  return features!;
}

/** What the model takes, else the size of the first image, so that blocks cannot differ. */
async function sizeOf(
  images: ImageSet,
  { indices, encoder: { preprocess, imageSize } }: Pick<
    ImageFeaturesOptions,
    "indices" | "encoder"
  >,
): Promise<Size> {
  if (imageSize !== undefined) return { width: imageSize, height: imageSize };
  return outputSize(preprocess, (await decoded(images, indices[0]!)).image);
}

/** At an image that cannot be read the others are looked at too, so that all are told of at once. */
async function tellingOfAll<T>(
  images: ImageSet,
  indices: ArrayLike<number>,
  value: Promise<T>,
): Promise<T> {
  return await value.catch(async (error) => {
    if (error instanceof UnreadableImageError) {
      await checkImages(images, Array.from(indices), { unreadable: "fail" });
    }
    throw error;
  });
}

async function blockPixels(
  images: ImageSet,
  start: number,
  { indices, size, encoder: { preprocess } }:
    & Pick<ImageFeaturesOptions, "indices" | "encoder">
    & { readonly size: Size },
): Promise<Float32Array> {
  const count = Math.min(rowsPerBlock, indices.length - start);
  const block = await Promise.all(
    Array.from({ length: count }, (_, position) => decoded(images, indices[start + position]!)),
  );
  return preprocessBatch(block, preprocess, { size });
}

async function decoded(images: ImageSet, index: number): Promise<NamedImage> {
  const id = images.ids[index]!;
  return { id, image: await images.decode(await images.read(index), id) };
}

function requireFinite(
  features: Tensor,
  { images, indices, start }: {
    readonly images: ImageSet;
    readonly indices: ArrayLike<number>;
    readonly start: number;
  },
): void {
  for (let i = 0; i < features.shape[0]!; i++) {
    if (row(features, i).every(Number.isFinite)) continue;
    const id = images.ids[indices[start + i]!];
    throw new UserError(
      `The features of image ${id} of ${images.name} are not finite numbers. Check the model's ` +
        `weights and its "preprocess", whose std may be too small.`,
    );
  }
}
