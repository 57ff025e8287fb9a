import { rowsPerBlock } from "../activations/mod.ts";
import { type Random, range } from "../tensor/mod.ts";

/** Numbers that are in memory at once: half a gigabyte, 65,536 rows of 2048. */
const numbersAtOnce = 2 ** 27;

/** What is in memory at once, and how it is cut into minibatches. */
export interface Window {
  /** The rows, in runs of `rowsPerBlock` consecutive ones: numbers of these, ascending. */
  readonly blocks: readonly number[];
  /** Each row of the blocks once, in the order of the steps. */
  readonly batches: readonly Int32Array[];
}

/** How many rows there are and how wide they are, and how many make a minibatch at most. */
export interface MinibatchSizes {
  readonly images: number;
  readonly width: number;
  readonly batchSize: number;
  /** Numbers that are in memory at once; 2^27 when left out. */
  readonly windowNumbers?: number | undefined;
}

/**
 * One epoch over all rows. Blocks of consecutive rows come in random order, as many at a time as fit
 * into memory, and the rows of these are shuffled; so data that fits is shuffled evenly, and of more
 * each part is read once. The order is that of `random` alone, or the rows' own without it. The
 * minibatches of a window differ in size by one at most, and none straddles two windows.
 */
export function* epochWindows(
  { images, width, batchSize, windowNumbers = numbersAtOnce }: MinibatchSizes,
  random?: Random,
): Generator<Window> {
  const all = range(0, Math.ceil(images / rowsPerBlock));
  const blocks = random ? random.shuffle(all) : all;
  const most = Math.max(1, Math.floor(windowNumbers / (rowsPerBlock * width)));
  for (const part of evenParts(blocks, most)) {
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
