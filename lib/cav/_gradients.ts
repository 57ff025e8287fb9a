import type { GraphBuilder, Value } from "../onnx/mod.ts";

/** The gradient of one term of the loss. */
export interface Gradient {
  /** [groups, columns, dim] */
  readonly vectors: Value;
  /** [groups, columns, 1]; undefined where the term does not depend on the bias. */
  readonly biases?: Value | undefined;
}

/**
 * The gradient of the mean over a batch of weight (cosine(v, x) - target)^2 for unit x (Eq. 3-5).
 * With e = 2/batch weight (cosine - target), which the input `weights` already scales, and c the
 * cosine: gradient = (sum of e x - (sum of e c) v/|v|) / |v|.
 */
export function guidanceGradient(
  graph: GraphBuilder,
  { vectors, batch }: { readonly vectors: Value; readonly batch: number },
): Gradient {
  const size = `size${batch}`;
  const probes = graph.input(`probes${batch}`, [size, "dim"]);
  const targets = graph.input(`targets${batch}`, ["all", size]);
  const weights = graph.input(`weights${batch}`, ["all", size]);
  const { node } = graph;
  const columns = node("Flatten", [vectors], { axis: 2 });
  const lengths = lengthsOf(graph, columns);
  const projections = node("MatMul", [columns, node("Transpose", [probes], { perm: [1, 0] })]);
  const cosines = node("Div", [projections, lengths]);
  const errors = node("Mul", [node("Sub", [cosines, targets]), weights]);
  const radial = sumLast(graph, node("Mul", [errors, cosines]));
  const along = node("Mul", [columns, node("Div", [radial, lengths])]);
  const gradient = node("Div", [node("Sub", [node("MatMul", [errors, probes]), along]), lengths]);
  return { vectors: node("Reshape", [gradient, node("Shape", [vectors])]) };
}

/** The labelled images of a graph and what depends on them alone. */
export interface Labelled {
  readonly features: Value;
  readonly transposed: Value;
  readonly labels: Value;
}

/** Declares the inputs `labelled` [groups, images, dim] and `labels` [groups, 1, images]. */
export function labelledInputs(graph: GraphBuilder): Labelled {
  const features = graph.input("labelled", ["groups", "images", "dim"]);
  return {
    features,
    transposed: graph.node("Transpose", [features], { perm: [0, 2, 1] }),
    labels: graph.input("labels", ["groups", 1, "images"]),
  };
}

/**
 * The gradient of the mean logistic loss. With e = (sigmoid(v . x + b) - label) / images:
 * gradient = sum of e x, and sum of e for the bias.
 * With a perturbation r, a positive x stands at x - r v/|v|, where its loss is the highest within
 * distance r; by Danskin's theorem the gradient is the one at that point.
 */
export function classificationGradient(
  graph: GraphBuilder,
  { vectors, biases, labelled, perturbation }: {
    readonly vectors: Value;
    readonly biases: Value;
    readonly labelled: Labelled;
    readonly perturbation?: Value | undefined;
  },
): Gradient {
  const { node } = graph;
  const { features, transposed, labels } = labelled;
  const lengths = lengthsOf(graph, vectors);
  const plain = node("Add", [node("MatMul", [vectors, transposed]), biases]);
  const scores = perturbation
    ? node("Sub", [plain, node("Mul", [node("Mul", [lengths, perturbation]), labels])])
    : plain;
  const residuals = node("Sub", [node("Sigmoid", [scores]), labels]);
  const count = node("Gather", [node("Shape", [labels]), graph.integers([2])]);
  const errors = node("Div", [residuals, node("Cast", [count], { to: 1 })]);
  const gradient = node("MatMul", [errors, features]);
  const biasGradient = sumLast(graph, errors);
  if (!perturbation) return { vectors: gradient, biases: biasGradient };
  const pull = node("Mul", [sumLast(graph, node("Mul", [errors, labels])), perturbation]);
  return {
    vectors: node("Sub", [gradient, node("Mul", [vectors, node("Div", [pull, lengths])])]),
    biases: biasGradient,
  };
}

function lengthsOf(graph: GraphBuilder, vectors: Value): Value {
  return graph.node("ReduceL2", [vectors, graph.integers([-1])]);
}

function sumLast(graph: GraphBuilder, values: Value): Value {
  return graph.node("ReduceSum", [values, graph.integers([-1])]);
}
