import type { PreprocessSpec } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import type { RgbImage } from "./image.ts";
import { outputSize, preprocess, type Size } from "./preprocess.ts";

/** An image and what it is called in messages. */
export interface NamedImage {
  readonly id: string;
  readonly image: RgbImage;
}

/**
 * Images as one input of a model, [images.length, 3, height, width], each preprocessed as
 * {@linkcode preprocess} does.
 *
 * @param options.size what the model takes, where that is known; else the first image's.
 * @throws {UserError} naming the first image that preprocessing leaves in another size.
 */
export function preprocessBatch(
  images: readonly NamedImage[],
  spec: PreprocessSpec,
  { size }: { readonly size?: Size | undefined } = {},
): Float32Array {
  const [first] = images;
  if (first === undefined) return new Float32Array();
  const expected = size ?? outputSize(spec, first.image);
  const other = images.find(({ image }) => {
    const { width, height } = outputSize(spec, image);
    return width !== expected.width || height !== expected.height;
  });
  if (other !== undefined) throw anotherSize(other, { spec, expected });
  const length = 3 * expected.width * expected.height;
  const batch = new Float32Array(images.length * length);
  for (const [i, { image }] of images.entries()) batch.set(preprocess(image, spec), i * length);
  return batch;
}

function anotherSize(
  { id, image }: NamedImage,
  { spec, expected }: { readonly spec: PreprocessSpec; readonly expected: Size },
): UserError {
  const found = outputSize(spec, image);
  return new UserError(
    `The image ${id} (${image.width}x${image.height}) is ${found.width}x${found.height} after ` +
      `preprocessing, the model takes ${expected.width}x${expected.height}: set "crop" or an exact ` +
      `"resize" in its "preprocess", or give images of one size.`,
  );
}
