import { deepEqual } from "node:assert/strict";
import { norm, type Tensor } from "../../lib/tensor/mod.ts";

/** What tools/parity/reference.py records of a tensor. */
export interface Summary {
  readonly shape: readonly number[];
  readonly mean: number;
  readonly norm: number;
  readonly greatest: number;
  readonly indices: readonly number[];
  readonly values: readonly number[];
}

/**
 * The greatest difference from what was recorded, relative to the greatest magnitude or the norm; so
 * many of the recorded values as `outliers` says may differ by more.
 */
export function difference(
  { shape, data }: Tensor,
  reference: Summary,
  { outliers = 0 }: { readonly outliers?: number } = {},
): number {
  deepEqual(shape, reference.shape);
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const ofValues = reference.indices
    .map((index, i) => Math.abs(data[index]! - reference.values[i]!) / reference.greatest)
    .toSorted((a, b) => a - b);
  return Math.max(
    Math.abs(mean - reference.mean) / reference.greatest,
    Math.abs(norm(data) - reference.norm) / reference.norm,
    ...ofValues.slice(0, ofValues.length - outliers),
  );
}
