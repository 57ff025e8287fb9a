import type { ArtifactRef, Store } from "../store/mod.ts";
import {
  range,
  readSafetensors,
  row,
  type Tensor,
  tensor,
  writeSafetensors,
  zeros,
} from "../tensor/mod.ts";

/** A matrix [rows, width] whose rows are read when they are asked for. */
export interface FeatureRows {
  readonly shape: readonly [rows: number, width: number];
  /** The rows named by `indices`, in that order: [indices.length, width]. */
  readonly take: (indices: ArrayLike<number>) => Promise<Tensor>;
}

/** Rows that are computed and stored together; what an interrupted writer loses. */
export const rowsPerBlock = 64;

/** A stored part holds fewer rows where they are long: a reader that wants one row reads its part. */
const partBytes = 2 ** 20;

/** How many bytes of parts a reader keeps. */
export const keptBytes = 256 * 2 ** 20;

/** A matrix in memory as rows. */
export function featureRows(matrix: Tensor): FeatureRows {
  const [rows = 0, width = 0] = matrix.shape;
  return {
    shape: [rows, width],
    take: (indices) => Promise.resolve(gather(indices, width, (index) => row(matrix, index))),
  };
}

/** Several matrices of one width, one below the other. */
export function joinRows(matrices: readonly FeatureRows[]): FeatureRows {
  const width = matrices.find(({ shape }) => shape[0] > 0)?.shape[1] ?? 0;
  const starts: number[] = [];
  let rows = 0;
  for (const { shape } of matrices) {
    starts.push(rows);
    rows += shape[0];
  }
  return {
    shape: [rows, width],
    take: async (indices) => {
      const taken = zeros([indices.length, width]);
      for (const [part, matrix] of matrices.entries()) {
        const start = starts[part]!;
        const at: number[] = [];
        for (let i = 0; i < indices.length; i++) {
          if (indices[i]! >= start && indices[i]! < start + matrix.shape[0]) at.push(i);
        }
        const { data } = await matrix.take(at.map((i) => indices[i]! - start));
        at.forEach((to, from) =>
          taken.data.set(data.subarray(from * width, (from + 1) * width), to * width)
        );
      }
      return taken;
    },
  };
}

/** All rows at once; for matrices that are known to be small. */
export async function allRows(matrix: FeatureRows): Promise<Tensor> {
  return await matrix.take(range(0, matrix.shape[0]));
}

/**
 * Stores one block: rows `start` and on, [at most rowsPerBlock, width]. Its first part is written
 * last: where that is, the whole block is.
 */
export async function writeRowsBlock(
  rows: Tensor,
  { store, ref, start }: RowsBlock,
): Promise<void> {
  const [count = 0, width = 0] = rows.shape;
  const size = rowsPerPart(width);
  for (let from = Math.floor((count - 1) / size) * size; from >= 0; from -= size) {
    const length = Math.min(size, count - from);
    const part = tensor([length, width], rows.data.subarray(from * width, (from + length) * width));
    const bytes = writeSafetensors(new Map([["rows", part]]), {}, { dtype: "F32" });
    await store.write(partRef(ref, start + from), bytes);
  }
}

/** Where a block of rows is stored. */
export interface RowsBlock {
  readonly store: Store;
  readonly ref: ArtifactRef;
  /** Its first row, a multiple of `rowsPerBlock`. */
  readonly start: number;
}

/** Whether a block is stored. */
export function hasRowsBlock({ store, ref, start }: RowsBlock): Promise<boolean> {
  return store.has(partRef(ref, start));
}

/** The first row of every block of a stored matrix that is missing. */
export async function missingBlocks(
  rows: number,
  { store, ref }: Omit<RowsBlock, "start">,
): Promise<number[]> {
  const missing: number[] = [];
  for (let start = 0; start < rows; start += rowsPerBlock) {
    if (!await hasRowsBlock({ store, ref, start })) missing.push(start);
  }
  return missing;
}

/** A power of two, so that blocks consist of whole parts. */
function rowsPerPart(width: number): number {
  let size = rowsPerBlock;
  while (size > 1 && size * width * Float32Array.BYTES_PER_ELEMENT > partBytes) size /= 2;
  return size;
}

/**
 * A stored matrix. Its first part is read at once, for the width; the others when they are asked for,
 * and those that were used last are kept in memory.
 *
 * @param options.onMissing makes the error that `take` throws when a part is not there or damaged.
 * @returns `undefined` when the first part is missing.
 */
export async function storedRows(
  { store, ref, rows, onMissing }: {
    readonly store: Store;
    readonly ref: ArtifactRef;
    readonly rows: number;
    readonly onMissing: () => Error;
  },
): Promise<FeatureRows | undefined> {
  const load = async (start: number): Promise<Tensor | undefined> => {
    const bytes = await store.read(partRef(ref, start));
    return bytes && readSafetensors(bytes).tensors.get("rows")!;
  };
  const first = rows === 0 ? zeros([0, 0]) : await load(0);
  if (first === undefined) return undefined;
  const width = first.shape[1]!;
  const size = rowsPerPart(width);
  const kept = new Map([[0, first]]);
  const capacity = Math.max(1, Math.floor(keptBytes / (4 * size * Math.max(1, width))));
  const partAt = async (start: number): Promise<Tensor> => {
    const part = kept.get(start) ?? await load(start);
    if (part === undefined) throw onMissing();
    // The latest use goes to the end, so that the part that was not used for longest leaves first.
    kept.delete(start);
    kept.set(start, part);
    if (kept.size > capacity) kept.delete(kept.keys().next().value!);
    return part;
  };
  return {
    shape: [rows, width],
    take: async (indices) => {
      const taken = zeros([indices.length, width]);
      const byPart = Map.groupBy(
        range(0, indices.length),
        (i) => Math.floor(indices[i]! / size) * size,
      );
      for (const [start, positions] of [...byPart].sort(([a], [b]) => a - b)) {
        const part = await partAt(start);
        for (const i of positions) taken.data.set(row(part, indices[i]! - start), i * width);
      }
      return taken;
    },
  };
}

function gather(
  indices: ArrayLike<number>,
  width: number,
  rowAt: (index: number) => Float32Array,
): Tensor {
  const taken = zeros([indices.length, width]);
  for (let i = 0; i < indices.length; i++) taken.data.set(rowAt(indices[i]!), i * width);
  return taken;
}

function partRef(ref: ArtifactRef, start: number): ArtifactRef {
  return { ...ref, part: `rows-${String(start).padStart(8, "0")}` };
}
