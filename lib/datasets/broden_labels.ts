import { UserError } from "../files/mod.ts";
import { join } from "node:path";
import { ordered } from "../files/mod.ts";
import type { Broden, BrodenAnnotation } from "./broden.ts";
import { decodeImage } from "../images/mod.ts";

/** One label found in one image. */
export interface FoundLabel {
  readonly number: number;
  /** The column of index.csv it was found in. */
  readonly category: string;
  /** The share of the mask's pixels that carry it in any plane, above 0; 1 for the whole image. */
  readonly fraction: number;
}

/**
 * The labels of the images `start` to `end - 1`, from the index and from the pixels of their masks
 * (label number R + 256 G, 0 for none; a pixel may carry several labels, one a plane). It is pure
 * reading: scan a large set in ranges and store each.
 *
 * @param options.onImage called after each image with its index.
 * @throws {UserError} naming image and mask when a mask is missing, unreadable, or carries a number
 * that label.csv does not list.
 */
export async function scanBrodenLabels(
  broden: Broden,
  options: {
    readonly start?: number;
    readonly end?: number;
    readonly concurrency?: number;
    onImage?(index: number): void;
  } = {},
): Promise<readonly (readonly FoundLabel[])[]> {
  const { start = 0, end = broden.images.ids.length, concurrency = 16, onImage } = options;
  const indices = Array.from({ length: end - start }, (_, i) => start + i);
  const found: FoundLabel[][] = [];
  const scans = ordered(indices, { concurrency, map: (index) => labelsOf(broden, index) });
  for await (const labels of scans) {
    onImage?.(start + found.length);
    found.push(labels);
  }
  return found;
}

async function labelsOf(broden: Broden, index: number): Promise<FoundLabel[]> {
  const found: FoundLabel[] = [];
  for (const annotation of broden.annotations[index] ?? []) {
    const { category, numbers } = annotation;
    found.push(...numbers.map((number) => ({ number, category, fraction: 1 })));
    found.push(...await labelsOfMasks(broden, { index, annotation }));
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
    const { data, width, height } = await readMask(broden, { index, mask });
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

async function readMask(
  broden: Broden,
  { index, mask }: { readonly index: number; readonly mask: string },
) {
  const path = join(broden.root, "images", mask);
  try {
    return await decodeImage(await Deno.readFile(path), mask);
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound
      ? "there is no such file"
      : cause instanceof Error
      ? cause.message
      : cause;
    throw new UserError(
      `Cannot scan Broden: the mask ${path} of the image ${broden.images.ids[index]} cannot be ` +
        `read (${reason}). Restore it from the original archive.`,
      { cause },
    );
  }
}
