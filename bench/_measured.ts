/** What the benchmarks share: features that are made when they are asked for, and memory. */
import type { FeatureRows } from "../lib/activations/mod.ts";
import { type Tensor, zeros } from "../lib/tensor/mod.ts";

/** How long the making of rows took, and of how many, in all. */
export const generated = { seconds: 0, rows: 0 };

/**
 * Rows in [0, 2), each number a hash of its place, as if read from a store.
 *
 * @param options.labels of each row the class, one of whose numbers is made larger by 1.
 */
export function generatedRows(
  rows: number,
  { width, labels }: { readonly width: number; readonly labels?: Int32Array },
): FeatureRows {
  return {
    shape: [rows, width],
    take(indices) {
      const started = performance.now();
      const taken = zeros([indices.length, width]);
      for (let i = 0; i < indices.length; i++) {
        let state = Math.imul(indices[i]! + 1, 0x9e3779b1);
        for (let j = 0; j < width; j++) {
          state = (Math.imul(state, 1664525) + 1013904223) | 0;
          taken.data[i * width + j] = (state >>> 8) * 2 ** -23;
        }
        if (labels !== undefined) taken.data[i * width + labels[indices[i]!]! % width]! += 1;
      }
      generated.seconds += (performance.now() - started) / 1000;
      generated.rows += indices.length;
      return Promise.resolve(taken);
    },
  };
}

/** A tensor of numbers that are drawn one after another. */
export function fill(shape: readonly number[], draw: () => number): Tensor {
  const filled = zeros(shape);
  for (let i = 0; i < filled.data.length; i++) filled.data[i] = draw();
  return filled;
}

/** The memory of this process in bytes, from the Linux kernel: now, or its high-water mark. */
export async function memoryOf(mark: "VmRSS" | "VmHWM"): Promise<number> {
  const status = await Deno.readTextFile("/proc/self/status");
  return Number(new RegExp(`${mark}:\\s+(\\d+)`).exec(status)?.[1]) * 1024;
}
