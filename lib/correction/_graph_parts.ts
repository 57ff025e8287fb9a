import type { GraphBuilder, Value } from "../onnx/mod.ts";
import { type Tensor, tensor } from "../tensor/mod.ts";

/** A number to feed to an input without axes. */
export function scalar(value: number): Tensor {
  return tensor([], Float32Array.of(value));
}

/** Class numbers, [images], as rows of zeros with a one: [images, classes]. */
export function oneHot(graph: GraphBuilder, labels: Value, classes: number): Value {
  const values = graph.constant({ shape: [2], data: Float32Array.of(0, 1) });
  return graph.node("OneHot", [labels, graph.scalar(classes), values]);
}

/** The proximal step of an absolute value: numbers move towards zero by `by`, not beyond. */
export function softThreshold({ node, scalar }: GraphBuilder, values: Value, by: Value): Value {
  const shrunk = node("Max", [node("Sub", [node("Abs", [values]), by]), scalar(0)]);
  return node("Mul", [node("Sign", [values]), shrunk]);
}

/**
 * The sum of all numbers. onnxruntime's sums depend on where in memory their operand lies, which is
 * always alike for what the graph computed, and is not for what it was fed.
 */
export function sumOf({ node }: GraphBuilder, values: Value): Value {
  return node("ReduceSum", [values], { keepdims: 0 });
}
