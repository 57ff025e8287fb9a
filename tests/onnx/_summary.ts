import { deepEqual } from "node:assert/strict";
import { norm, type Tensor } from "../../lib/tensor/mod.ts";

/** What tools/parity/reference.py records of a tensor. */
export interface Summary {
  readonly shape: readonly number[];
  readonly mean: number;
  readonly norm: number;
  readonly greatest: number;
  /** The first number, the last, and numbers at equal distances between. */
  readonly values: readonly number[];
}

/** The greatest difference from what was recorded, relative to the greatest magnitude or the norm. */
export function difference({ shape, data }: Tensor, reference: Summary): number {
  deepEqual(shape, reference.shape);
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const { values, greatest } = reference;
  const errors = values.map((value, i) => {
    const index = Math.floor((i * (data.length - 1)) / Math.max(values.length - 1, 1));
    return Math.abs(data[index]! - value) / greatest;
  });
  return Math.max(
    Math.abs(mean - reference.mean) / greatest,
    Math.abs(norm(data) - reference.norm) / reference.norm,
    ...errors,
  );
}
