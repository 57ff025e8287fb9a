import type { FeatureRows } from "../activations/mod.ts";
import { UserError } from "../files/mod.ts";
import type { LastLayer } from "../models/mod.ts";
import { dot, norm, row, type Tensor, zeros } from "../tensor/mod.ts";
import { blocksOf } from "./_rows.ts";

/**
 * P-ClArC, projective class artefact compensation (arXiv 1912.11425, 2308.09437): what the features
 * say along the CAV v of an artefact is replaced by its mean before the last layer h sees them,
 * h(x - v v'(x - mean)) with |v| = 1. Of several artefacts the span is projected out: with Q' Q the
 * projection on it, h(x) = W x + b becomes
 *
 *     W (I - Q' Q) x + b + W Q' Q mean,
 *
 * a linear layer again. Nothing is trained. The source's mean is that of images without the artefact;
 * here it is that of all training images, as no label says which images these are.
 *
 * @param mean of the features of the training images, [dim].
 * @returns the layer, and how many dimensions the artefacts span.
 * @throws {UserError} when nothing is left.
 */
export function projectOut(
  { weight, bias }: LastLayer,
  { artefacts, mean }: { readonly artefacts: Tensor; readonly mean: Float64Array },
): LastLayer & { readonly dimensions: number } {
  const basis = orthonormalBasis(artefacts);
  const [classes = 0, dim = 0] = weight.shape;
  if (basis.length >= dim) {
    throw new UserError(
      `Projecting artefacts out of a last layer: their CAVs span all ${dim} dimensions, so nothing ` +
        `would be left; name fewer artefacts.`,
    );
  }
  const projected = zeros([classes, dim]);
  const shifted = zeros([classes]);
  for (let k = 0; k < classes; k++) {
    const left = Float64Array.from(row(weight, k));
    let shift = bias.data[k]!;
    for (const axis of basis) {
      const along = dot(row(weight, k), axis);
      shift += along * dot(axis, mean);
      for (let j = 0; j < dim; j++) left[j]! -= along * axis[j]!;
    }
    row(projected, k).set(left);
    shifted.data[k] = shift;
  }
  return { weight: projected, bias: shifted, dimensions: basis.length };
}

/** The mean of the features of all images, [dim]. */
export async function meanFeatures(
  features: FeatureRows,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<Float64Array> {
  const [images, dim] = features.shape;
  const mean = new Float64Array(dim);
  for await (const { rows: { data } } of blocksOf(features, signal)) {
    for (let at = 0; at < data.length; at += dim) {
      for (let j = 0; j < dim; j++) mean[j]! += data[at + j]!;
    }
  }
  return mean.map((sum) => sum / images);
}

/** A vector that others give to this share of its length adds no dimension. */
const dependent = 1e-5;

/**
 * Orthonormal vectors that span the rows of a matrix, by Gram and Schmidt, each row orthogonalised
 * twice. A row that is a sum of others to float32's precision adds none.
 */
function orthonormalBasis(matrix: Tensor): Float64Array[] {
  const basis: Float64Array[] = [];
  for (let i = 0; i < matrix.shape[0]!; i++) {
    const vector = Float64Array.from(row(matrix, i));
    const length = norm(vector);
    for (const axis of [...basis, ...basis]) {
      const along = dot(vector, axis);
      for (let j = 0; j < vector.length; j++) vector[j]! -= along * axis[j]!;
    }
    const left = norm(vector);
    if (left > dependent * length) basis.push(vector.map((value) => value / left));
  }
  return basis;
}
