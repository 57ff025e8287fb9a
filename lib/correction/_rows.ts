import { type FeatureRows, rowsPerBlock } from "../activations/mod.ts";
import { UserError } from "../files/mod.ts";
import { normaliseRows, range, type Tensor } from "../tensor/mod.ts";

/**
 * A matrix whose rows are looked at as they come.
 *
 * @param options.what what they are, for the error of one that is not finite.
 * @param options.normalise whether each gets unit length.
 */
export function checkedRows(
  { shape, take }: FeatureRows,
  { what, normalise = false }: { readonly what: string; readonly normalise?: boolean },
): FeatureRows {
  return {
    shape,
    async take(indices) {
      const rows = await take(indices);
      requireFiniteRows(rows, { what, indices });
      return normalise ? normaliseRows(rows) : rows;
    },
  };
}

/** All rows in their order, a block at a time. */
export async function* blocksOf(
  matrix: FeatureRows,
  signal?: AbortSignal,
): AsyncGenerator<{ readonly start: number; readonly rows: Tensor }> {
  for (let block = 0; block * rowsPerBlock < matrix.shape[0]; block++) {
    signal?.throwIfAborted();
    yield { start: block * rowsPerBlock, rows: await matrix.take(rowsOf(block, matrix)) };
  }
}

/** Some blocks of rows in memory. */
export interface RowWindow {
  readonly width: number;
  /** Holds these blocks, instead of those before. */
  load(blocks: readonly number[]): Promise<void>;
  /** Copies rows of the blocks, one after the other. */
  gather(rows: Int32Array, into: Float32Array): void;
}

/** A window on a matrix, without any block yet. */
export function openWindow(matrix: FeatureRows): RowWindow {
  const width = matrix.shape[1];
  let held: readonly number[] = [];
  let data = new Float32Array();
  const starts = new Map<number, number>();
  return {
    width,
    async load(blocks) {
      if (blocks.length === held.length && blocks.every((block, i) => block === held[i])) return;
      held = [];
      starts.clear();
      const size = blocks.length * rowsPerBlock * width;
      if (data.length < size) data = new Float32Array(size);
      for (const [slot, block] of blocks.entries()) {
        const at = slot * rowsPerBlock * width;
        data.set((await matrix.take(rowsOf(block, matrix))).data, at);
        starts.set(block, at);
      }
      held = blocks;
    },
    gather(rows, into) {
      rows.forEach((row, i) => {
        const start = starts.get(Math.floor(row / rowsPerBlock))! + row % rowsPerBlock * width;
        into.set(data.subarray(start, start + width), i * width);
      });
    },
  };
}

/** The rows of a block, of which the last has fewer. */
function rowsOf(block: number, { shape: [rows] }: FeatureRows): number[] {
  return range(block * rowsPerBlock, Math.min(rows, (block + 1) * rowsPerBlock));
}

function requireFiniteRows(
  { shape, data }: Tensor,
  { what, indices }: { readonly what: string; readonly indices: ArrayLike<number> },
): void {
  // A loop, since every number of every image passes here in every epoch.
  for (let at = 0; at < data.length; at++) {
    if (Number.isFinite(data[at])) continue;
    const width = shape[1]!;
    throw new UserError(
      `Correcting a last layer: number ${at % width} of the ${what} of image ` +
        `${indices[Math.floor(at / width)]} is ${
          data[at]
        }; compute them again, or leave the image ` +
        `out.`,
    );
  }
}
