import { join } from "node:path";
import { listed, mapBounded, UserError } from "../files/mod.ts";
import { imageFiles, type RgbImage, UnreadableImageError } from "../images/mod.ts";
import { range } from "../tensor/mod.ts";
import type { Broden, BrodenAnnotation } from "./broden.ts";

/** One label found in one image. */
export interface FoundLabel {
  readonly number: number;
  /** The column of index.csv it was found in. */
  readonly category: string;
  /** The share of the mask's pixels that carry it in any plane, above 0; 1 for the whole image. */
  readonly fraction: number;
}

/** A mask that cannot be read, and the image whose labels it hides. */
export interface UnreadableMask {
  readonly image: string;
  readonly mask: string;
  readonly reason: string;
}

/**
 * The labels of the images `start` to `end - 1`, from the index and from the pixels of their masks
 * (label number R + 256 G, 0 for none; a pixel may carry several labels, one a plane). It is pure
 * reading: scan a large set in ranges and store each.
 *
 * @param options.unreadable `fail` (the default) throws when a mask cannot be read; `skip` gives its
 * image no labels, so that it is neither among a concept's images nor among the negatives.
 * @param options.onUnreadable called under `skip` with each such mask, to be reported by name.
 * @param options.onImage called after each image with its index.
 * @throws {UserError} under `fail`, when all was scanned, with the number of unreadable masks and the
 * first of them; naming image and category when a mask carries a number that label.csv does not list.
 */
export async function scanBrodenLabels(
  broden: Broden,
  options: {
    readonly start?: number;
    readonly end?: number;
    readonly concurrency?: number;
    readonly unreadable?: "fail" | "skip";
    onUnreadable?(mask: UnreadableMask): void;
    onImage?(index: number): void;
  } = {},
): Promise<readonly (readonly FoundLabel[])[]> {
  const { start = 0, end = broden.images.ids.length, concurrency = 16, unreadable = "fail" } =
    options;
  const indices = range(start, end);
  const found: (readonly FoundLabel[])[] = [];
  const masks: UnreadableMask[] = [];
  const scans = mapBounded(indices, { concurrency, map: (index) => labelsOf(broden, index) });
  for await (const scan of scans) {
    options.onImage?.(start + found.length);
    if ("mask" in scan) masks.push(scan);
    if ("mask" in scan && unreadable === "skip") options.onUnreadable?.(scan);
    found.push("mask" in scan ? [] : scan);
  }
  if (masks.length === 0 || unreadable === "skip") return found;
  const names = masks.map(({ image, mask, reason }) => `${mask} of the image ${image} (${reason})`);
  throw new UserError(
    `Cannot read the masks of ${masks.length} of ${found.length} images of Broden: ` +
      `${listed(names)}. Restore them from the original archive, or set "unreadable" to "skip" ` +
      `in the dataset's config to leave these images out.`,
  );
}

/** The labels of an image, or the first of its masks that cannot be read. */
async function labelsOf(broden: Broden, index: number): Promise<FoundLabel[] | UnreadableMask> {
  const found: FoundLabel[] = [];
  try {
    for (const annotation of broden.annotations[index] ?? []) {
      const { category, numbers } = annotation;
      found.push(...numbers.map((number) => ({ number, category, fraction: 1 })));
      found.push(...await labelsOfMasks(broden, { index, annotation }));
    }
  } catch (error) {
    if (!(error instanceof UnreadableImageError)) throw error;
    return { image: broden.images.ids[index]!, mask: error.id, reason: error.reason };
  }
  return found;
}

async function labelsOfMasks(
  broden: Broden,
  { index, annotation }: { readonly index: number; readonly annotation: BrodenAnnotation },
): Promise<FoundLabel[]> {
  const pixels = new Map<number, number>();
  let total = 0;
  for (const mask of annotation.masks) {
    const { data, width, height } = await readMask(broden, mask);
    total = width * height;
    // A mask is mostly runs of one label.
    let run = 0, previous = 0;
    const count = () => {
      if (previous !== 0) pixels.set(previous, (pixels.get(previous) ?? 0) + run);
    };
    for (let offset = 0; offset < data.length; offset += 3) {
      const number = data[offset]! + 256 * data[offset + 1]!;
      if (number === previous) {
        run += 1;
        continue;
      }
      count();
      previous = number;
      run = 1;
    }
    count();
  }
  return [...pixels].sort(([a], [b]) => a - b).map(([number, count]) => {
    if (!broden.labels.has(number)) {
      throw new UserError(
        `Cannot scan Broden: the ${annotation.category} masks of ${broden.images.ids[index]} ` +
          `carry the label ${number}, which label.csv does not list. Restore both from the same ` +
          `archive.`,
      );
    }
    return { number, category: annotation.category, fraction: Math.min(1, count / total) };
  });
}

async function readMask({ root }: Broden, mask: string): Promise<RgbImage> {
  const masks = imageFiles("the masks of Broden", { root: join(root, "images"), ids: [mask] });
  return await masks.decode(await masks.read(0), mask);
}
