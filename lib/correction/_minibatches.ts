import { rowsPerBlock } from "../activations/mod.ts";
import type { Random } from "../tensor/mod.ts";

/** Rows that are in memory at once: half a gigabyte of 2048 numbers each. */
const windowRows = 2 ** 16;

/** What is in memory at once, and how it is cut into minibatches. */
export interface Window {
  /** The rows, in runs of `rowsPerBlock` consecutive ones: numbers of these, ascending. */
  readonly blocks: readonly number[];
  /** Each row of the blocks once, in the order of the steps. */
  readonly batches: readonly Int32Array[];
}

/** How many rows there are, and how many make a minibatch at most. */
export interface MinibatchSizes {
  readonly images: number;
  readonly batchSize: number;
}

/**
 * One epoch over all rows. Blocks of consecutive rows come in random order, as many at a time as fit
 * into memory, and the rows of these are shuffled; so data that fits is shuffled evenly, and of more
 * each part is read once. The order is that of `random` alone, or the rows' own without it. The
 * minibatches of a window differ in size by one at most, and none straddles two windows.
 */
export function* epochWindows(
  { images, batchSize }: MinibatchSizes,
  random?: Random,
): Generator<Window> {
  const all = range(0, Math.ceil(images / rowsPerBlock));
  const blocks = random ? random.shuffle(all) : all;
  for (const part of evenParts(blocks, Math.ceil(windowRows / rowsPerBlock))) {
    const ascending = part.toSorted((a, b) => a - b);
    const rows = ascending.flatMap((block) =>
      range(block * rowsPerBlock, Math.min(images, (block + 1) * rowsPerBlock))
    );
    const shuffled = random ? random.shuffle(rows) : rows;
    const batches = evenParts(shuffled, batchSize).map((batch) => Int32Array.from(batch));
    yield { blocks: ascending, batches };
  }
}

/** Consecutive parts of `most` items at most, which differ in size by one at most. */
export function evenParts<T>(items: readonly T[], most: number): T[][] {
  const parts = Math.ceil(items.length / most);
  const bound = (part: number) => Math.floor(part * items.length / parts);
  return Array.from({ length: parts }, (_, part) => items.slice(bound(part), bound(part + 1)));
}

/** The whole numbers from .. to - 1. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
