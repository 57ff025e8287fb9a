import type { Method } from "../../lib/config/mod.ts";
import { featureRows } from "../../lib/activations/mod.ts";
import type { CavProblem } from "../../lib/cav/mod.ts";
import { type Tensor, tensor } from "../../lib/tensor/mod.ts";

/** tests/fixtures/cav/methods*.json, made by tools/fixtures/cav.py in float64. */
export interface Reference {
  readonly problem: CavProblem;
  readonly seed: number;
  readonly results: readonly {
    readonly method: Method;
    /** [seeds][concepts][dim] */
    readonly vectors: readonly (readonly (readonly number[])[])[];
    /** [seeds][concepts] */
    readonly thresholds: readonly (readonly number[])[];
  }[];
}

/** Reads a reference with its images as tensors. */
export async function readReference(name: string): Promise<Reference> {
  const { problem, ...rest } = await readFixture(name);
  const rows = (lists: readonly number[][]) => lists.map((list) => Int32Array.from(list));
  return {
    ...rest,
    problem: {
      features: featureRows(matrix(problem.features)),
      vlFeatures: featureRows(matrix(problem.vlFeatures)),
      seeds: problem.seeds,
      // deno-lint-ignore no-explicit-any
      concepts: problem.concepts.map((concept: any) => ({
        concept: concept.concept,
        probes: Int32Array.from(concept.probes),
        positives: rows(concept.positives),
        negatives: rows(concept.negatives),
        labelled: Int32Array.from(concept.labelled),
        text: {
          prompt: Float32Array.from(concept.text.prompt),
          ensemble: Float32Array.from(concept.text.ensemble),
        },
      })),
    },
  };
}

/** A fixture of this room, parsed. */
// deno-lint-ignore no-explicit-any
export async function readFixture(name: string): Promise<any> {
  const url = new URL(`../fixtures/cav/${name}`, import.meta.url);
  return JSON.parse(await Deno.readTextFile(url));
}

/** A tensor of rows of equal length. */
export function matrix(rows: readonly (readonly number[])[]): Tensor {
  return tensor([rows.length, rows[0]!.length], Float32Array.from(rows.flat()));
}

/** Euclidean distance over the length of the expected vector. */
export function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, length] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    length += expected[i]! ** 2;
  }
  return actual.length === expected.length ? Math.sqrt(difference / length) : Infinity;
}
