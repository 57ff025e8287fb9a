import { createGraph, type Value } from "../onnx/mod.ts";
import { dot, type Tensor } from "../tensor/mod.ts";
import type { Moments } from "./gaussian_alignment.ts";

/** Rows or columns of a Gram matrix that are multiplied at once, with those before them. */
const stripSize = 128;

/**
 * A graph that counts rows from their mean m, as d, and gives what `momentsOfPairs` takes. The Gram
 * matrix of the d is that of rows or of columns, whichever is smaller; their squares have one sum.
 */
export function buildPairMoments([rows, dim]: readonly [rows: number, dim: number]): Uint8Array {
  const graph = createGraph("pair moments");
  const { node, integers } = graph;
  const all = graph.input("rows", [rows, dim]);
  const mean = node("ReduceMean", [all, integers([0])]);
  const deviations = node("Sub", [all, mean]);
  const transposed = (value: Value) => node("Transpose", [value], { perm: [1, 0] });
  const axis = dim < rows ? 1 : 0;
  const slice = (values: Value, from: number, to: number, along: number) =>
    node("Slice", [values, integers([from]), integers([to]), integers([along])]);
  const squares = (values: Value) => node("ReduceSumSquare", [values, integers([-1])]);
  const [strips, blocks]: [Value[], Value[]] = [[], []];
  const count = Math.min(rows, dim);
  for (let from = 0; from < count; from += stripSize) {
    const to = Math.min(from + stripSize, count);
    const [strip, before] = [slice(deviations, from, to, axis), slice(deviations, 0, to, axis)];
    const gram = axis === 0
      ? node("MatMul", [strip, transposed(before)])
      : node("MatMul", [transposed(strip), before]);
    strips.push(squares(gram));
    blocks.push(squares(slice(gram, from, to, 1)));
  }
  graph.output(mean, "mean");
  const twice = transposed(node("Concat", [mean, mean], { axis: 0 }));
  graph.output(node("MatMul", [deviations, twice]), "along");
  graph.output(node("Concat", strips, { axis: 0 }), "strips");
  graph.output(node("Concat", blocks, { axis: 0 }), "blocks");
  return graph.build();
}

/** The outputs of the graph: m; m.d of each row, twice; sums of squares by rows of the Gram matrix. */
export const pairMomentsOutputs = ["mean", "along", "strips", "blocks"] as const;

/**
 * The inner product of a pair of rows is |m|^2 + m.d + m.d' + d.d'; since the d sum to zero, the mean
 * is |m|^2 and the variance is 2 mean (m.d)^2 + mean over pairs of (d.d')^2. No term cancels another,
 * so float32 products do.
 */
export function momentsOfPairs(
  { mean, along, strips, blocks }: Record<typeof pairMomentsOutputs[number], Tensor>,
): Moments {
  const [rows = 0] = along.shape;
  // Strips have what lies below the diagonal once, blocks what lies around it.
  let squares = 0;
  strips.data.forEach((sum, i) => squares += 2 * sum - blocks.data[i]!);
  const variance = dot(along.data, along.data) / rows + squares / rows ** 2;
  return { mean: dot(mean.data, mean.data), deviation: Math.sqrt(variance) };
}
