import { featureRows } from "../../lib/activations/mod.ts";
import type { CorrectionProblem } from "../../lib/correction/mod.ts";
import type { Correction, RunnableCorrection } from "../../lib/config/mod.ts";
import type { Tensor } from "../../lib/tensor/mod.ts";
import { tensor } from "../../lib/tensor/mod.ts";

/** A fixture of this room, parsed; made by tools/fixtures/correction.py in float64. */
// deno-lint-ignore no-explicit-any
export async function readFixture(name: string): Promise<any> {
  const url = new URL(`../fixtures/correction/${name}`, import.meta.url);
  return JSON.parse(await Deno.readTextFile(url));
}

/** A tensor of rows of equal length. */
export function matrix(rows: readonly (readonly number[])[]): Tensor {
  return tensor([rows.length, rows[0]!.length], Float32Array.from(rows.flat()));
}

/** tests/fixtures/correction/corrections.json. */
export interface Reference {
  readonly problem: CorrectionProblem;
  readonly cavs: Tensor;
  readonly artefacts: Tensor;
  readonly seed: number;
  /** [epochs][batches][images] */
  readonly orders: readonly (readonly (readonly number[])[])[];
  readonly retrained: readonly {
    readonly correction: RunnableCorrection;
    readonly weight: readonly (readonly number[])[];
    readonly bias: readonly number[];
    readonly lossBefore: number;
    readonly lossAfter: number;
  }[];
  readonly weights: { readonly asr: readonly number[]; readonly groups: readonly number[] };
  readonly effectiveSampleSize: { readonly asr: number; readonly groups: number };
  /** Logits of all images once the artefacts are projected out. */
  readonly projected: { readonly rank: number; readonly logits: readonly (readonly number[])[] };
  readonly bottlenecks: readonly {
    readonly hyperparameters: Correction<"label_free_cbm">["hyperparameters"];
    readonly conceptLayer: readonly (readonly number[])[];
    readonly similarities: readonly number[];
    readonly steps: number;
    readonly concepts: number;
    readonly logits: readonly (readonly number[])[];
    readonly nonZeroShare: number;
  }[];
}

/** Reads the reference with its problem as one that a last layer can be corrected by. */
export async function readReference(): Promise<Reference> {
  const { problem, ...rest } = await readFixture("corrections.json");
  const images = featureRows(matrix(problem.views));
  return {
    ...rest,
    cavs: matrix(problem.cavs),
    artefacts: matrix(problem.artefacts),
    problem: {
      features: featureRows(matrix(problem.features)),
      labels: Int32Array.from(problem.labels),
      groups: Int32Array.from(problem.groups),
      lastLayer: {
        weight: matrix(problem.weight),
        bias: tensor([problem.bias.length], Float32Array.from(problem.bias)),
      },
      zeroShot: { images, texts: matrix(problem.classTexts) },
      concepts: { images, texts: matrix(problem.conceptTexts) },
    },
  };
}

/** Euclidean distance over the length of the expected numbers. */
export function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, length] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    length += expected[i]! ** 2;
  }
  return actual.length === expected.length ? Math.sqrt(difference / length) : Infinity;
}
