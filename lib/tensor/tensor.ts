/** A dense float32 array in row-major order; `data.length` is the product of `shape`. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * Wraps `data` as a tensor of the given shape, without copying.
 *
 * @throws {RangeError} when the shape does not hold exactly `data.length` numbers.
 */
export function tensor(shape: readonly number[], data: Float32Array): Tensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (size !== data.length) {
    throw new RangeError(`A tensor of shape [${shape}] holds ${size} numbers, not ${data.length}.`);
  }
  return { shape, data };
}

/** A tensor of zeros. */
export function zeros(shape: readonly number[]): Tensor {
  return { shape, data: new Float32Array(shape.reduce((product, extent) => product * extent, 1)) };
}

/**
 * Row `index` of a [rows, ...] tensor as a view on its data.
 *
 * @throws {RangeError} when there is no such row.
 */
export function row(matrix: Tensor, index: number): Float32Array {
  const rows = matrix.shape[0] ?? 0;
  if (index < 0 || index >= rows) throw new RangeError(`Row ${index} of a tensor of ${rows} rows.`);
  const width = matrix.data.length / rows;
  return matrix.data.subarray(index * width, (index + 1) * width);
}

/** The rows of a [rows, width] matrix named by `indices`, in that order: [indices.length, width]. */
export function takeRows(matrix: Tensor, indices: ArrayLike<number>): Tensor {
  const width = matrix.shape[1] ?? 1;
  const taken = zeros([indices.length, width]);
  for (let i = 0; i < indices.length; i++) taken.data.set(row(matrix, indices[i]!), i * width);
  return taken;
}

/** The whole numbers from .. to - 1, such as rows to take. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** Inner product, accumulated in float64. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Euclidean length, accumulated in float64. */
export function norm(vector: ArrayLike<number>): number {
  return Math.sqrt(dot(vector, vector));
}

/** Cosine of the angle between two vectors; 0 when either has no length. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const lengths = norm(a) * norm(b);
  return lengths === 0 ? 0 : dot(a, b) / lengths;
}

/** Each row divided by its length; a zero row stays zero. */
export function normaliseRows(matrix: Tensor): Tensor {
  const rows = matrix.shape[0] ?? 0;
  const normalised = tensor(matrix.shape, matrix.data.slice());
  for (let i = 0; i < rows; i++) {
    const vector = row(normalised, i);
    const length = norm(vector);
    if (length > 0) { for (let j = 0; j < vector.length; j++) vector[j]! /= length; }
  }
  return normalised;
}
