import { createGraph, type GraphBuilder, type Value } from "../onnx/mod.ts";
import { oneHot, softThreshold, sumOf } from "./_graph_parts.ts";

/** How many steps a run takes, and how many classes there are. */
export interface SagaTerms {
  readonly steps: number;
  readonly classes: number;
  /** Whether what is remembered is rounded to one byte. */
  readonly rounded: boolean;
}

/** A probability is remembered as a whole number of parts. */
export const partsOfOne = 255;

/**
 * Some steps of proximal SAGA on the mean cross-entropy of softmax(W x + b) with an elastic net on W.
 * A step on images with the residuals r = softmax - label, whose last ones were r', goes against
 * mean of (r - r') x' + average, where `average` is the mean of r' x' over all images; then the
 * proximal step shrinks W. What is remembered of r may be rounded; the average is that of what is
 * remembered.
 */
export function buildSagaSteps({ steps, classes, rounded }: SagaTerms): Uint8Array {
  const graph = createGraph("saga");
  const { node } = graph;
  // The step size, what it shrinks by, what it divides by, and the number of all images.
  const [stepSize, shrink, divide, images] = ["stepSize", "shrink", "divide", "images"]
    .map((name) => graph.input(name, [])) as [Value, Value, Value, Value];
  let [weight, weightAverage] = ["weight", "weightAverage"]
    .map((name) => graph.input(name, ["classes", "dim"])) as [Value, Value];
  let [bias, biasAverage] = ["bias", "biasAverage"]
    .map((name) => graph.input(name, ["classes"])) as [Value, Value];
  const moved: Value[] = [];
  for (let step = 0; step < steps; step++) {
    const size = `size${step}`;
    const features = graph.input(`features${step}`, [size, "dim"]);
    const labels = oneHot(graph, graph.input(`labels${step}`, [size]), classes);
    const old = graph.input(`old${step}`, [size, "classes"]);
    const logits = node("Gemm", [features, weight, bias], { transB: 1 });
    const probabilities = node("Softmax", [logits]);
    const changeTo = (probabilities: Value): Change => {
      const residuals = node("Sub", [probabilities, labels]);
      const change = node("Sub", [residuals, old]);
      return {
        residuals,
        weight: node("Gemm", [change, features], { transA: 1 }),
        bias: node("ReduceSum", [change, graph.integers([0])], { keepdims: 0 }),
      };
    };
    const exact = changeTo(probabilities);
    const remembered = rounded ? changeTo(roundedParts(graph, probabilities)) : exact;
    const count = node("Cast", [node("Gather", [node("Shape", [old]), graph.integers([0])])], {
      to: 1,
    });
    const stepped = (parameter: Value, change: Value, average: Value) => {
      const direction = node("Add", [node("Div", [change, count]), average]);
      return node("Sub", [parameter, node("Mul", [direction, stepSize])]);
    };
    const weightAfter = node("Div", [
      softThreshold(graph, stepped(weight, exact.weight, weightAverage), shrink),
      divide,
    ]);
    const biasAfter = stepped(bias, exact.bias, biasAverage);
    weightAverage = node("Add", [weightAverage, node("Div", [remembered.weight, images])]);
    biasAverage = node("Add", [biasAverage, node("Div", [remembered.bias, images])]);
    moved.push(distance(graph, [[weight, weightAfter], [bias, biasAfter]]));
    [weight, bias] = [weightAfter, biasAfter];
    graph.output(remembered.residuals, `residuals${step}`);
  }
  graph.output(weight, "weightAfter");
  graph.output(weightAverage, "weightAverageAfter");
  graph.output(bias, "biasAfter");
  graph.output(biasAverage, "biasAverageAfter");
  graph.output(moved.reduce((least, next) => node("Min", [least, next])), "leastMove");
  return graph.build();
}

/** Residuals of a batch, and what they add to the sums of those of all images. */
interface Change {
  readonly residuals: Value;
  readonly weight: Value;
  readonly bias: Value;
}

function roundedParts({ node, scalar }: GraphBuilder, probabilities: Value): Value {
  const parts = node("Round", [node("Mul", [probabilities, scalar(partsOfOne)])]);
  return node("Div", [parts, scalar(partsOfOne)]);
}

/** The Euclidean distance between all of some values and those after them. */
function distance(graph: GraphBuilder, pairs: readonly (readonly [Value, Value])[]): Value {
  const { node } = graph;
  const squares = pairs.map(([before, after]) => {
    const difference = node("Sub", [after, before]);
    return sumOf(graph, node("Mul", [difference, difference]));
  });
  return node("Sqrt", [squares.reduce((sum, square) => node("Add", [sum, square]))]);
}
