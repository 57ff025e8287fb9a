import type { GraphBuilder, Value } from "../onnx/mod.ts";

/** The gradient of one term of the loss. */
export interface Gradient {
  /** [groups, columns, dim] */
  readonly vectors: Value;
  /** [groups, columns, 1]; undefined where the term does not depend on the bias. */
  readonly biases?: Value | undefined;
}

/** Images in a graph. */
export interface Images {
  /** [groups or 1, images, dim] */
  readonly features: Value;
  /** First and one-past-last of their places in the basis of a span: int64, [1]. */
  readonly from: Value;
  readonly to: Value;
}

/** Images that stand behind others in the basis. */
function imagesAfter(graph: GraphBuilder, features: Value, from: Value): Images {
  return { features, from, to: graph.node("Add", [from, extentOf(graph, features, 1)]) };
}

/** What the losses need to know of vectors. */
export interface Space {
  /** |v| of each vector, [groups, columns, 1]. */
  lengths(vectors: Value): Value;
  /** v . x of each vector and image, [groups, columns, images]. */
  products(vectors: Value, images: Images): Value;
  /** The sum of e x over the images, for errors e of [groups, columns, images]. */
  combine(errors: Value, images: Images): Value;
}

/** Vectors as rows of coordinates, [groups, columns, dim]. */
export function coordinateSpace(graph: GraphBuilder): Space {
  const { node } = graph;
  return {
    lengths: (vectors) => node("ReduceL2", [vectors, graph.integers([-1])]),
    products: (vectors, { features }) =>
      node("MatMul", [vectors, node("Transpose", [features], { perm: [0, 2, 1] })]),
    combine: (errors, { features }) => node("MatMul", [errors, features]),
  };
}

/**
 * Vectors as pairs [c | q] of their coefficients in a basis and their products with it,
 * [groups, columns, 2 basis]. Features are products with the basis, whose members images are. So
 * v . x is the entry of q at x, a multiple of x adds to the entry of c at x and to all of q, and
 * |v|^2 = c . q. What descent does to vectors is linear, so it keeps pairs true.
 */
export function spanSpace(graph: GraphBuilder): Space {
  const { node } = graph;
  const basisOf = ({ features }: Images) => extentOf(graph, features, 2);
  return {
    lengths(vectors) {
      const [coefficients, products] = graph.nodes("Split", [vectors], {
        outputs: 2,
        attributes: { axis: -1, num_outputs: 2 },
      });
      return node("Sqrt", [sumLast(graph, node("Mul", [coefficients!, products!]))]);
    },
    products(vectors, images) {
      const [from, to] = [images.from, images.to].map((at) => node("Add", [basisOf(images), at]));
      return node("Slice", [vectors, from, to, graph.integers([-1])]);
    },
    combine(errors, images) {
      const none = graph.integers([0, 0]);
      const after = node("Sub", [basisOf(images), images.to]);
      const pads = node("Concat", [none, images.from, none, after], { axis: 0 });
      const products = node("MatMul", [errors, images.features]);
      return node("Concat", [node("Pad", [errors, pads]), products], { axis: -1 });
    },
  };
}

/** One batch of probes in a graph. */
export interface ProbeBatch {
  readonly images: Images;
  /** [1 or groups, columns of all, size] */
  readonly targets: Value;
  readonly weights: Value;
}

/** Declares the inputs of a batch of probes, which stand behind others in the basis. */
export function probeInputs(graph: GraphBuilder, batch: number, from: Value): ProbeBatch {
  const size = `size${batch}`;
  const features = graph.input(`probes${batch}`, ["sets", size, "dim"]);
  return {
    images: imagesAfter(graph, features, from),
    targets: graph.input(`targets${batch}`, ["sets", "all", size]),
    weights: graph.input(`weights${batch}`, ["sets", "all", size]),
  };
}

/**
 * The gradient of the mean over a batch of weight (cosine(v, x) - target)^2 for unit x (Eq. 3-5).
 * With e = 2/batch weight (cosine - target), which the input `weights` already scales, and c the
 * cosine: gradient = (sum of e x - (sum of e c) v/|v|) / |v|.
 */
export function guidanceGradient(
  graph: GraphBuilder,
  { vectors, batch: { images, targets, weights }, space }: {
    readonly vectors: Value;
    readonly batch: ProbeBatch;
    readonly space: Space;
  },
): Gradient {
  const { node } = graph;
  // Columns of groups that share their probes stand in one matrix.
  const sets = extentOf(graph, images.features, 0);
  const shape = node("Concat", [sets, graph.integers([-1, 0])], { axis: 0 });
  const columns = node("Reshape", [vectors, shape]);
  const lengths = space.lengths(columns);
  const cosines = node("Div", [space.products(columns, images), lengths]);
  const errors = node("Mul", [node("Sub", [cosines, targets]), weights]);
  const radial = sumLast(graph, node("Mul", [errors, cosines]));
  const along = node("Mul", [columns, node("Div", [radial, lengths])]);
  const gradient = node("Div", [node("Sub", [space.combine(errors, images), along]), lengths]);
  return { vectors: node("Reshape", [gradient, node("Shape", [vectors])]) };
}

/** The labelled images of a graph. */
export interface Labelled {
  readonly images: Images;
  /** [groups, 1, images] */
  readonly labels: Value;
}

/** Declares the inputs of the labelled images, which stand behind others in the basis. */
export function labelledInputs(graph: GraphBuilder, from: Value): Labelled {
  const features = graph.input("labelled", ["groups", "images", "dim"]);
  return {
    images: imagesAfter(graph, features, from),
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
  { vectors, biases, labelled: { images, labels }, perturbations, space }: {
    readonly vectors: Value;
    readonly biases: Value;
    readonly labelled: Labelled;
    /** [groups, 1, 1] */
    readonly perturbations?: Value | undefined;
    readonly space: Space;
  },
): Gradient {
  const { node } = graph;
  const lengths = space.lengths(vectors);
  const plain = node("Add", [space.products(vectors, images), biases]);
  const scores = perturbations
    ? node("Sub", [plain, node("Mul", [node("Mul", [lengths, perturbations]), labels])])
    : plain;
  const residuals = node("Sub", [node("Sigmoid", [scores]), labels]);
  const errors = node("Div", [residuals, node("Cast", [extentOf(graph, labels, 2)], { to: 1 })]);
  const gradient = space.combine(errors, images);
  const biasGradient = sumLast(graph, errors);
  if (!perturbations) return { vectors: gradient, biases: biasGradient };
  const pull = node("Mul", [sumLast(graph, node("Mul", [errors, labels])), perturbations]);
  return {
    vectors: node("Sub", [gradient, node("Mul", [vectors, node("Div", [pull, lengths])])]),
    biases: biasGradient,
  };
}

/**
 * The sum over the last of three axes, kept with extent 1. It is a product with two columns of ones,
 * because onnxruntime's sums, and its products with one column, add a row up in an order that
 * depends on where it lies.
 */
function sumLast(graph: GraphBuilder, values: Value): Value {
  const { node, integers } = graph;
  const shape = node("Concat", [extentOf(graph, values, 2), integers([2])], { axis: 0 });
  const sums = node("MatMul", [values, node("Expand", [graph.scalar(1), shape])]);
  return node("Slice", [sums, integers([0]), integers([1]), integers([-1])]);
}

/** The extent of one axis: int64, [1]. */
function extentOf(graph: GraphBuilder, values: Value, axis: number): Value {
  return graph.node("Gather", [graph.node("Shape", [values]), graph.integers([axis])]);
}
