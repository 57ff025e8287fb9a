import { mapBounded } from "../files/mod.ts";
import { type RgbImage, UnreadableImageError } from "./image.ts";
import { idAt, type ImageSet } from "./image_set.ts";

/** An image read from a set, or why it could not be. */
export type ReadImage =
  | {
    readonly index: number;
    readonly id: string;
    readonly bytes: Uint8Array;
    readonly image: RgbImage;
  }
  | { readonly index: number; readonly id: string; readonly unreadable: UnreadableImageError };

/**
 * Reads and decodes the images at `indices` in that order, `concurrency` of them ahead of the
 * consumer, so that memory is bounded by it.
 *
 * @param options.unreadable `fail` throws at the first image that cannot be read; `skip` yields it
 * with its error, to be reported by name.
 * @throws {UnreadableImageError} under `fail`.
 */
export async function* readImages(
  set: ImageSet,
  indices: Iterable<number>,
  options: { readonly unreadable: "fail" | "skip"; readonly concurrency?: number },
): AsyncGenerator<ReadImage> {
  const { unreadable, concurrency = 16 } = options;
  yield* mapBounded(indices, {
    concurrency,
    map: async (index): Promise<ReadImage> => {
      const id = idAt(set.name, set.ids, index);
      try {
        const bytes = await set.read(index);
        return { index, id, bytes, image: await set.decode(bytes, id) };
      } catch (error) {
        if (unreadable === "fail" || !(error instanceof UnreadableImageError)) throw error;
        return { index, id, unreadable: error };
      }
    },
  });
}
