import { row, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import { minimiseInSpan, trainsInSpan } from "./_span.ts";
import type { CavEngine, ColumnProblem, Columns, Descent } from "./engine.ts";

/** What descent runs on. */
export interface DescendOptions {
  readonly engine: CavEngine;
  readonly descent: Descent;
  /** Inner products of the probes with each other, where they are known: [probes, probes]. */
  readonly probeGram?: Tensor | undefined;
}

/**
 * Trains columns, directly or in the span of their images, whichever costs less. The bits of a
 * column do not depend on the columns and groups beside it: a lone column trains beside a copy of
 * itself, because a product of one row takes another way through the runtimes.
 */
export async function descend(
  problem: ColumnProblem,
  { engine, descent, probeGram }: DescendOptions,
): Promise<Columns> {
  const padded = problem.columns === 1 ? twoColumns(problem) : problem;
  const columns = trainsInSpan(shapeOf(problem))
    ? await minimiseInSpan(padded, { engine, descent, probeGram })
    : await engine.minimise(padded, descent);
  return problem.columns === 1 ? firstColumn(columns) : columns;
}

function shapeOf({ start, labelled, probes }: ColumnProblem) {
  return {
    dim: start.shape[1]!,
    images: (labelled?.labels.shape[1] ?? 0) + (probes?.features.shape[1] ?? 0),
  };
}

function twoColumns(problem: ColumnProblem): ColumnProblem {
  const { probes } = problem;
  return {
    ...problem,
    columns: 2,
    probes: probes && {
      features: probes.features,
      targets: twice(probes.targets),
      weights: twice(probes.weights),
    },
  };
}

/** [groups, 1, size] to [groups, 2, size]. */
function twice(values: Tensor): Tensor {
  const [groups = 0, , size = 0] = values.shape;
  const both = zeros([groups, 2, size]);
  for (let group = 0; group < groups; group++) {
    both.data.set(row(values, group), 2 * group * size);
    both.data.set(row(values, group), (2 * group + 1) * size);
  }
  return both;
}

function firstColumn({ vectors, biases }: Columns): Columns {
  const [groups = 0, columns = 0, dim = 0] = vectors.shape;
  const first = zeros([groups, 1, dim]);
  for (let group = 0; group < groups; group++) {
    row(first, group).set(row(vectors, group).subarray(0, dim));
  }
  return {
    vectors: first,
    biases: tensor([groups, 1], biases.data.filter((_, i) => i % columns === 0)),
  };
}
