import type { GraphBuilder, Value } from "../onnx/mod.ts";
import { tensor } from "../tensor/mod.ts";

/**
 * What one term of the loss asks of the vectors in a step, which is the learning rate times its
 * gradient: sums + shrink v.
 */
export interface Move {
  /** Sums of images, [groups, columns, width] for each part of the vectors. */
  readonly sums: readonly Value[];
  /** [groups, columns, 1]; undefined where nothing lies along v. */
  readonly shrink?: Value | undefined;
  /** Of the bias, [groups, columns, 1]; undefined where the term does not depend on it. */
  readonly biases?: Value | undefined;
}

/** Images in a graph. */
export interface Images {
  /** [images, width] where all groups share them, else [groups, images, width]. */
  readonly features: Value;
  readonly shared: boolean;
  /**
   * In a span, products of shared images with what a group has for itself, the rest of its basis:
   * [groups, images, own].
   */
  readonly across?: Value | undefined;
  /** First and one-past-last of their places in the basis of a span. */
  readonly from: number;
  readonly to: number;
}

/** How vectors are held, as one part or several, and what the losses need to know of them. */
export interface Space {
  /** |v| of each vector, [groups, columns, 1]. */
  lengths(vectors: readonly Value[]): Value;
  /** v . x of each vector and image, [groups, columns, images]. */
  products(vectors: readonly Value[], images: Images): Value;
  /** The sum of e x over the images, for errors e of [groups, columns, images]. */
  combine(errors: Value, images: Images): readonly Value[];
}

/** Vectors as rows of coordinates, [groups, columns, dim]. */
export function coordinateSpace(graph: GraphBuilder): Space {
  const { node } = graph;
  return {
    lengths: ([vectors]) => node("ReduceL2", [vectors, graph.integers([-1])]),
    products: ([vectors], { features, shared }) => {
      const columns = node("Transpose", [features], { perm: shared ? [1, 0] : [0, 2, 1] });
      return node("MatMul", [vectors, columns]);
    },
    combine: (errors, { features }) => [node("MatMul", [errors, features])],
  };
}

/**
 * Vectors in two parts: their coefficients c in a basis of that many images, and their products q
 * with it, both [groups, columns, basis]. Features are products with the basis, whose members images
 * are. So v . x is the entry of q at x, a multiple of x adds to the entry of c at x and to all of q,
 * and |v|^2 = c . q. What descent does to vectors is linear, so it keeps the parts true.
 */
export function spanSpace(graph: GraphBuilder, basis: number): Space {
  const { node, integers } = graph;
  return {
    lengths: ([coefficients, products]) =>
      node("Sqrt", [sumLast(graph, node("Mul", [coefficients, products]), { extent: basis })]),
    products: ([_, products], { from, to }) =>
      node("Slice", [products, integers([from]), integers([to]), integers([-1])]),
    combine(errors, { features, across, from, to }) {
      const products = node("MatMul", [errors, features]);
      return [
        node("Pad", [errors, integers([0, 0, from, 0, 0, basis - to])]),
        across
          ? node("Concat", [products, node("MatMul", [errors, across])], { axis: -1 })
          : products,
      ];
    },
  };
}

/** One batch of probes in a graph. */
export interface ProbeBatch {
  readonly images: Images;
  /** [groups, columns, size] */
  readonly targets: Value;
  readonly weights: Value;
}

interface Term {
  readonly vectors: readonly Value[];
  readonly space: Space;
  readonly learningRate: number;
}

/**
 * The move for the mean over a batch of weight (cosine(v, x) - target)^2 for unit x (Eq. 3-5). With
 * e = 2/batch weight (cosine - target), the gradient is (sum of e x - (sum of e cosine) v/|v|) / |v|.
 */
export function guidanceMove(
  graph: GraphBuilder,
  { vectors, space, learningRate, batch: { images, targets, weights } }: Term & {
    readonly batch: ProbeBatch;
  },
): Move {
  const { node } = graph;
  const extent = images.to - images.from;
  const lengths = space.lengths(vectors);
  const cosines = node("Div", [space.products(vectors, images), lengths]);
  const errors = node("Mul", [node("Sub", [cosines, targets]), weights]);
  const scale = node("Div", [graph.scalar(2 / extent * learningRate), lengths]);
  const radial = sumLast(graph, node("Mul", [errors, cosines]), { extent, times: -1 });
  return {
    sums: space.combine(node("Mul", [errors, scale]), images),
    shrink: node("Div", [node("Mul", [radial, scale]), lengths]),
  };
}

/** The labelled images of a graph. */
export interface Labelled {
  readonly images: Images;
  /** [groups, columns, images] */
  readonly labels: Value;
  /** [groups, columns, 1] */
  readonly perturbations: Value | undefined;
}

/**
 * The move for the mean logistic loss. With e = (sigmoid(v . x + b) - label) / images the gradient is
 * the sum of e x, and the sum of e for the bias.
 * With a perturbation r, a positive x stands at x - r v/|v|, where its loss is the highest within
 * distance r; by Danskin's theorem the gradient is the one at that point.
 */
export function classificationMove(
  graph: GraphBuilder,
  { vectors, space, learningRate, biases, labelled: { images, labels, perturbations } }: Term & {
    /** [groups, columns, 1] */
    readonly biases: Value;
    readonly labelled: Labelled;
  },
): Move {
  const { node } = graph;
  const extent = images.to - images.from;
  const plain = node("Add", [space.products(vectors, images), biases]);
  const move = (scores: Value) => {
    const residuals = node("Sub", [node("Sigmoid", [scores]), labels]);
    const errors = node("Mul", [residuals, graph.scalar(learningRate / extent)]);
    const [sums, toBiases] = [space.combine(errors, images), sumLast(graph, errors, { extent })];
    return { errors, sums, biases: toBiases };
  };
  if (!perturbations) return move(plain);
  const lengths = space.lengths(vectors);
  const moved = node("Mul", [node("Mul", [lengths, perturbations]), labels]);
  const { errors, ...rest } = move(node("Sub", [plain, moved]));
  const ofPositives = sumLast(graph, node("Mul", [errors, labels]), { extent, times: -1 });
  const shrink = node("Div", [node("Mul", [ofPositives, perturbations]), lengths]);
  return { ...rest, shrink };
}

/**
 * A multiple of the sum over the last of three axes, kept with extent 1. It is a product with two
 * equal columns, because onnxruntime's sums, and its products with one column, add a row up in an
 * order that depends on where it lies.
 */
function sumLast(
  graph: GraphBuilder,
  values: Value,
  { extent, times = 1 }: { readonly extent: number; readonly times?: number },
): Value {
  const { node, integers } = graph;
  const columns = graph.constant(tensor([extent, 2], new Float32Array(2 * extent).fill(times)));
  const sums = node("MatMul", [values, columns]);
  return node("Slice", [sums, integers([0]), integers([1]), integers([-1])]);
}
