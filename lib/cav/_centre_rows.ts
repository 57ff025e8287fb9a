import { type Tensor, tensor } from "../tensor/mod.ts";

/** The mean of the rows of a [rows, dim] matrix. */
export function meanRow({ shape, data }: Tensor): Float64Array {
  const [rows = 0, dim = 0] = shape;
  const mean = new Float64Array(dim);
  for (let at = 0; at < rows * dim; at += dim) {
    for (let j = 0; j < dim; j++) mean[j]! += data[at + j]!;
  }
  for (let j = 0; j < dim; j++) mean[j]! /= rows;
  return mean;
}

/** The mean of the rows of a [rows, dim] matrix, and each row minus it. */
export function centreRows(
  matrix: Tensor,
): { readonly centre: Float64Array; readonly deviations: Tensor } {
  const centre = meanRow(matrix);
  const deviations = matrix.data.slice();
  subtractFromRows(deviations, centre);
  return { centre, deviations: tensor(matrix.shape, deviations) };
}

/** Subtracts a vector from each of the rows, which have its length. */
export function subtractFromRows(
  rows: Float32Array,
  vector: Float64Array | Float32Array,
): void {
  const dim = vector.length;
  for (let at = 0; at < rows.length; at += dim) {
    for (let j = 0; j < dim; j++) rows[at + j]! -= vector[j]!;
  }
}
