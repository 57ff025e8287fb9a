import { createGraph, openSession, type Session } from "../onnx/mod.ts";
import { type Tensor, tensor } from "../tensor/mod.ts";

/** Rows and columns of a tile; those at the end are smaller. */
const tileSize = 512;

/** A symmetric matrix by its tiles on and below the diagonal: tiles[i][j] row by row, j <= i. */
export type Tiles = readonly (readonly Float64Array[])[];

/** Where the tiles of a matrix of that size begin and end. */
export function tileBounds(size: number): readonly (readonly [from: number, to: number])[] {
  return Array.from(
    { length: Math.ceil(size / tileSize) },
    (_, i) => [i * tileSize, Math.min(size, (i + 1) * tileSize)],
  );
}

/**
 * Solves A X = B for a symmetric positive definite A by Cholesky's factorisation L L', tile by tile.
 * All is done in float64: the products of tiles by onnxruntime, what remains on the diagonal here.
 *
 * @param tiles those of A; overwritten
 * @param b the right-hand sides, one after the other, [columns, size]; overwritten by X
 * @throws {RangeError} when A is not positive definite.
 */
export async function solvePositiveDefinite(
  tiles: Tiles,
  b: Float64Array,
  { size }: { readonly size: number },
): Promise<void> {
  const bounds = tileBounds(size);
  const session = await openSession(buildProduct(), { device: "cpu", threads: 1 });
  try {
    const inverses = await factorise(tiles, { bounds, session });
    await substitute(tiles, b, { bounds, inverses, session });
  } finally {
    await session.close();
  }
}

interface Work {
  readonly bounds: ReturnType<typeof tileBounds>;
  readonly session: Session;
}

/** Overwrites A by L, below the diagonal; returns the inverses of the tiles on it. */
async function factorise(
  tiles: Tiles,
  { bounds, session }: Work,
): Promise<Float64Array[]> {
  const inverses: Float64Array[] = [];
  const width = (i: number) => bounds[i]![1] - bounds[i]![0];
  for (let j = 0; j < tiles.length; j++) {
    for (let i = j; i < tiles.length; i++) {
      const tile = tiles[i]![j]!;
      for (let k = 0; k < j; k++) {
        const product = await multiply(session, tiles[i]![k]!, {
          by: tiles[j]![k]!,
          inner: width(k),
        });
        subtract(tile, product);
      }
      if (i === j) inverses.push(invertFactor(tile, { size: width(j), first: bounds[j]![0] }));
      else tile.set(await multiply(session, tile, { by: inverses[j]!, inner: width(j) }));
    }
  }
  return inverses;
}

/** L Y = B from the first tile on, then L' X = Y from the last. */
async function substitute(
  tiles: Tiles,
  b: Float64Array,
  { bounds, inverses, session }: Work & { readonly inverses: readonly Float64Array[] },
): Promise<void> {
  const size = bounds.at(-1)![1];
  const width = (i: number) => bounds[i]![1] - bounds[i]![0];
  const parts = bounds.map((bound) => columnsOf(b, { bound, size }));
  for (let i = 0; i < parts.length; i++) {
    for (let k = 0; k < i; k++) {
      subtract(
        parts[i]!,
        await multiply(session, parts[k]!, { by: tiles[i]![k]!, inner: width(k) }),
      );
    }
    parts[i] = await multiply(session, parts[i]!, { by: inverses[i]!, inner: width(i) });
  }
  for (let i = parts.length - 1; i >= 0; i--) {
    for (let k = i + 1; k < parts.length; k++) {
      const by = transpose(tiles[k]![i]!, width(i));
      subtract(parts[i]!, await multiply(session, parts[k]!, { by, inner: width(k) }));
    }
    const by = transpose(inverses[i]!, width(i));
    parts[i] = await multiply(session, parts[i]!, { by, inner: width(i) });
    for (let at = 0; at < b.length / size; at++) {
      b.set(parts[i]!.subarray(at * width(i), (at + 1) * width(i)), at * size + bounds[i]![0]);
    }
  }
}

/** The inverse of the factor of one tile of A, [size, size]. */
function invertFactor(
  a: Float64Array,
  { size, first }: { readonly size: number; readonly first: number },
): Float64Array {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * size + j]!;
      for (let k = 0; k < j; k++) sum -= a[i * size + k]! * a[j * size + k]!;
      if (i !== j) {
        a[i * size + j] = sum / a[j * size + j]!;
      } else if (sum > 0) {
        a[i * size + i] = Math.sqrt(sum);
      } else {
        throw new RangeError(
          `Solving linear equations: pivot ${first + i} is ${sum}, not positive.`,
        );
      }
    }
  }
  const inverse = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    inverse[i * size + i] = 1;
    for (let k = 0; k < i; k++) {
      const factor = a[i * size + k]!;
      for (let j = 0; j <= k; j++) inverse[i * size + j]! -= factor * inverse[k * size + j]!;
    }
    for (let j = 0; j <= i; j++) inverse[i * size + j]! /= a[i * size + i]!;
  }
  return inverse;
}

/** a b' of [n, inner] and [m, inner] in float64. */
async function multiply(
  session: Session,
  a: Float64Array,
  { by, inner }: { readonly by: Float64Array; readonly inner: number },
): Promise<Float64Array> {
  const [aHigh, aLow] = split(a, inner);
  const [bHigh, bLow] = split(by, inner);
  const { high, low } = await session.run({ aHigh, aLow, bHigh, bLow }, ["high", "low"]);
  const product = new Float64Array(high.data);
  for (let i = 0; i < product.length; i++) product[i]! += low.data[i]!;
  return product;
}

/** The nearest float32 numbers and what they lack: together 48 bits of the 53. */
function split(values: Float64Array, width: number): [Tensor, Tensor] {
  const high = new Float32Array(values);
  const low = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) low[i] = values[i]! - high[i]!;
  const shape = [values.length / width, width];
  return [tensor(shape, high), tensor(shape, low)];
}

/** A product of float64 matrices, which enter and leave as pairs of float32 ones. */
function buildProduct(): Uint8Array {
  const graph = createGraph("float64 product");
  const { node } = graph;
  const [float32, float64] = [{ to: 1 }, { to: 11 }];
  const enter = (name: string) =>
    node("Add", [
      node("Cast", [graph.input(`${name}High`, [`${name}0`, "inner"])], float64),
      node("Cast", [graph.input(`${name}Low`, [`${name}0`, "inner"])], float64),
    ]);
  const product = node("Gemm", [enter("a"), enter("b")], { transB: 1 });
  const high = node("Cast", [product], float32);
  graph.output(high, "high");
  const rest = node("Sub", [product, node("Cast", [high], float64)]);
  graph.output(node("Cast", [rest], float32), "low");
  return graph.build();
}

function subtract(from: Float64Array, values: Float64Array): void {
  for (let i = 0; i < from.length; i++) from[i]! -= values[i]!;
}

function transpose(matrix: Float64Array, columns: number): Float64Array {
  const rows = matrix.length / columns;
  const transposed = new Float64Array(matrix.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) transposed[j * rows + i] = matrix[i * columns + j]!;
  }
  return transposed;
}

function columnsOf(
  b: Float64Array,
  { bound: [from, to], size }: { readonly bound: readonly [number, number]; readonly size: number },
): Float64Array {
  const part = new Float64Array(b.length / size * (to - from));
  for (let at = 0; at < b.length / size; at++) {
    part.set(b.subarray(at * size + from, at * size + to), at * (to - from));
  }
  return part;
}
