import { listed, UserError } from "../files/mod.ts";
import type { UnreadableImageError } from "./image.ts";
import type { ImageSet } from "./image_set.ts";
import { readImages } from "./read_images.ts";

/** What {@linkcode checkImages} found. */
export interface CheckedImages {
  /** The images that can be read, in the order given. */
  readonly readable: Int32Array;
  /** The others, by name. */
  readonly unreadable: readonly { readonly id: string; readonly reason: string }[];
}

/**
 * Decodes every image once and tells which can be read, so that a policy is applied before any
 * model sees an image. Memory is bounded by `concurrency` images. Where that costs too much under
 * `fail`, call it when the first image could not be read, to tell of all of them.
 *
 * @param options.unreadable `skip` returns the unreadable ones for the caller to report; `fail`
 * throws when there is one.
 * @param options.onImage called after each image.
 * @throws {UserError} under `fail`, with the number of unreadable images and the first of them.
 */
export async function checkImages(
  set: ImageSet,
  indices: Iterable<number>,
  options: {
    readonly unreadable: "fail" | "skip";
    readonly concurrency?: number;
    onImage?(index: number): void;
  },
): Promise<CheckedImages> {
  const readable: number[] = [];
  const unreadable: UnreadableImageError[] = [];
  for await (const read of readImages(set, indices, { ...options, unreadable: "skip" })) {
    if ("unreadable" in read) unreadable.push(read.unreadable);
    else readable.push(read.index);
    options.onImage?.(read.index);
  }
  if (options.unreadable === "fail" && unreadable.length > 0) {
    const total = readable.length + unreadable.length;
    const names = listed(unreadable.map(({ id, reason }) => `${id} (${reason})`));
    throw new UserError(
      `Cannot read ${unreadable.length} of ${total} images of ${set.name}: ${names}. Restore them ` +
        `from the original archive, or set "unreadable" to "skip" in the dataset's config to leave ` +
        `them out.`,
      { cause: unreadable[0] },
    );
  }
  return {
    readable: Int32Array.from(readable),
    unreadable: unreadable.map(({ id, reason }) => ({ id, reason })),
  };
}
