import { join } from "node:path";
import { decodeImage, type RgbImage, UnreadableImageError } from "./image.ts";

/** A set of images on disk that holds names, never pixels. */
export interface ImageSet {
  readonly name: string;
  /** Sorted and unique: a path relative to the set's folder with `/`, or a record's name. */
  readonly ids: readonly string[];
  /**
   * The encoded file's bytes, or the record's raw bytes.
   *
   * @throws {UnreadableImageError} when the file is not there or cannot be read.
   */
  read(index: number): Promise<Uint8Array>;
  /**
   * The pixels of what `read` gave.
   *
   * @throws {UnreadableImageError} naming `id` when the bytes are no image.
   */
  decode(bytes: Uint8Array, id: string): Promise<RgbImage>;
}

/** Images with one class each. */
export interface LabelledImages {
  readonly images: ImageSet;
  readonly classes: readonly { readonly id: string; readonly name: string }[];
  /** The class of each image, an index into `classes`. */
  readonly labels: Int32Array;
}

/** The image files `ids` (sorted, relative) of a folder. */
export function imageFiles(
  name: string,
  { root, ids }: { readonly root: string; readonly ids: readonly string[] },
): ImageSet {
  return {
    name,
    ids,
    async read(index) {
      const id = idAt(name, ids, index);
      try {
        return await Deno.readFile(join(root, id));
      } catch (cause) {
        // A missing permission of the process is no fault of the image.
        if (cause instanceof Deno.errors.NotCapable) throw cause;
        const reason = cause instanceof Deno.errors.NotFound
          ? `there is no such file in ${root}`
          : `${cause instanceof Error ? cause.message : cause}`;
        throw new UnreadableImageError(id, reason, { cause });
      }
    },
    decode: decodeImage,
  };
}

/**
 * The id at an index.
 *
 * @throws {RangeError} when the set has no such image.
 */
export function idAt(name: string, ids: readonly string[], index: number): string {
  const id = ids[index];
  if (id === undefined) {
    throw new RangeError(`There is no image ${index} in ${name}: it has ${ids.length} images.`);
  }
  return id;
}

/** The images of a set at `indices`, in that order, as a set of their own. */
export function subset(
  set: ImageSet,
  options: { readonly name: string; readonly indices: ArrayLike<number> },
): ImageSet {
  const { name, indices } = options;
  const ids = Array.from(indices, (index) => idAt(set.name, set.ids, index));
  return {
    name,
    ids,
    read: (index) => {
      idAt(name, ids, index);
      return set.read(indices[index]!);
    },
    decode: set.decode,
  };
}
