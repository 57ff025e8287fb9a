import { createGraph, type GraphBuilder, type Value } from "../onnx/mod.ts";
import { oneHot, softThreshold, sumOf } from "./_graph_parts.ts";

/** Which terms the loss has, how many steps a run takes, and how many classes there are. */
export interface StepTerms {
  readonly steps: number;
  readonly classes: number;
  readonly teacher: boolean;
  readonly pull: boolean;
  readonly penalty: boolean;
  readonly l1: boolean;
}

/** What one run hands to the next: [classes, dim] twice, [classes] twice. */
export const stateNames = ["weight", "weightVelocity", "bias", "biasVelocity"] as const;

/** Some steps of stochastic gradient descent on an objective, in closed form. */
export function buildSteps(terms: StepTerms): Uint8Array {
  const graph = createGraph("steps");
  const { node } = graph;
  const [learningRate, momentum, weightDecay] = ["learningRate", "momentum", "weightDecay"]
    .map((name) => graph.input(name, [])) as [Value, Value, Value];
  const layerTerms = declareLayerTerms(graph, terms);
  const teacher = declareTeacher(graph, terms);
  let layer = declareLayer(graph);
  let weightVelocity = graph.input("weightVelocity", ["classes", "dim"]);
  let biasVelocity = graph.input("biasVelocity", ["classes"]);
  // PyTorch's SGD: velocity = momentum velocity + gradient; parameter -= learningRate velocity.
  const accumulate = (velocity: Value, gradients: readonly Value[]) =>
    gradients.reduce((sum, term) => node("Add", [sum, term]), node("Mul", [velocity, momentum]));
  const moved = (parameter: Value, velocity: Value) =>
    node("Sub", [parameter, node("Mul", [velocity, learningRate])]);
  for (let step = 0; step < terms.steps; step++) {
    const batch = declareBatch(graph, { step, terms });
    const errors = logitGradients(graph, { batch, layer, teacher });
    weightVelocity = accumulate(weightVelocity, [
      node("Gemm", [errors, batch.features], { transA: 1 }),
      node("Mul", [layer.weight, weightDecay]),
      ...layerGradients(graph, { layer, layerTerms }),
    ]);
    biasVelocity = accumulate(biasVelocity, [
      node("ReduceSum", [errors, graph.integers([0])], { keepdims: 0 }),
      node("Mul", [layer.bias, weightDecay]),
    ]);
    const weight = moved(layer.weight, weightVelocity);
    layer = {
      weight: layerTerms.l1
        ? softThreshold(graph, weight, node("Mul", [layerTerms.l1, learningRate]))
        : weight,
      bias: moved(layer.bias, biasVelocity),
    };
  }
  graph.output(layer.weight, "weightAfter");
  graph.output(weightVelocity, "weightVelocityAfter");
  graph.output(layer.bias, "biasAfter");
  graph.output(biasVelocity, "biasVelocityAfter");
  return graph.build();
}

/**
 * The loss at a layer: `imagesLoss`, the sum over the images of the given minibatches, whose weights
 * are taken as they are; and `layerLoss`, the terms that no image takes part in.
 */
export function buildLoss(terms: StepTerms): Uint8Array {
  const graph = createGraph("loss");
  const layerTerms = declareLayerTerms(graph, terms);
  const weightDecay = graph.input("weightDecay", []);
  const teacher = declareTeacher(graph, terms);
  const layer = declareLayer(graph);
  const sums = Array.from(
    { length: terms.steps },
    (_, step) => imagesLoss(graph, { batch: declareBatch(graph, { step, terms }), layer, teacher }),
  );
  graph.output(sums.reduce((sum, term) => graph.node("Add", [sum, term])), "imagesLoss");
  graph.output(layerLoss(graph, { layer, layerTerms, weightDecay }), "layerLoss");
  return graph.build();
}

interface Layer {
  /** [classes, dim] */
  readonly weight: Value;
  /** [classes] */
  readonly bias: Value;
}

function declareLayer(graph: GraphBuilder): Layer {
  return {
    weight: graph.input("weight", ["classes", "dim"]),
    bias: graph.input("bias", ["classes"]),
  };
}

interface Batch {
  /** [images, dim] */
  readonly features: Value;
  /** The labels as rows of zeros with a one, [images, classes]. */
  readonly labels: Value;
  /** [images, 1] */
  readonly weights: Value;
  /** What the VL model sees, of unit length: [images, width]. */
  readonly views: Value | undefined;
}

function declareBatch(
  graph: GraphBuilder,
  { step, terms }: { readonly step: number; readonly terms: StepTerms },
): Batch {
  const images = `images${step}`;
  const labels = graph.input(`labels${step}`, [images]);
  return {
    features: graph.input(`features${step}`, [images, "dim"]),
    labels: oneHot(graph, labels, terms.classes),
    weights: graph.input(`weights${step}`, [images, 1]),
    views: terms.teacher ? graph.input(`views${step}`, [images, "width"]) : undefined,
  };
}

interface TeacherValues {
  /** Unit texts times logitScale / temperature, [classes, width]. */
  readonly texts: Value;
  readonly temperature: Value;
  readonly share: Value;
  /** 1 - share. */
  readonly rest: Value;
}

function declareTeacher(graph: GraphBuilder, { teacher }: StepTerms): TeacherValues | undefined {
  if (!teacher) return undefined;
  const share = graph.input("teacherShare", []);
  return {
    texts: graph.input("texts", ["classes", "width"]),
    temperature: graph.input("temperature", []),
    share,
    rest: graph.node("Sub", [graph.scalar(1), share]),
  };
}

/** What images of a batch are compared with a layer by. */
interface Comparison {
  readonly batch: Batch;
  readonly layer: Layer;
  readonly teacher: TeacherValues | undefined;
}

/** The soft targets of a batch, [images, classes]. */
function softTargets({ node }: GraphBuilder, views: Value, { texts }: TeacherValues): Value {
  return node("Softmax", [node("Gemm", [views, texts], { transB: 1 })]);
}

function logitsOf({ node }: GraphBuilder, { batch, layer }: Comparison): Value {
  return node("Gemm", [batch.features, layer.weight, layer.bias], { transB: 1 });
}

/**
 * The gradient at the logits z, [images, classes]: weight (softmax(z) - label), and of the teacher's
 * term weight T (softmax(z / T) - p).
 */
function logitGradients(graph: GraphBuilder, comparison: Comparison): Value {
  const { node } = graph;
  const { batch, teacher } = comparison;
  const logits = logitsOf(graph, comparison);
  const hard = node("Sub", [node("Softmax", [logits]), batch.labels]);
  if (!teacher) return node("Mul", [hard, batch.weights]);
  const { temperature, share, rest } = teacher;
  const student = node("Softmax", [node("Div", [logits, temperature])]);
  const soft = node("Sub", [student, softTargets(graph, batch.views!, teacher)]);
  const both = node("Add", [
    node("Mul", [hard, rest]),
    node("Mul", [soft, node("Mul", [share, temperature])]),
  ]);
  return node("Mul", [both, batch.weights]);
}

/** The sum over the images of a batch of weight times cross-entropy, less the layer's own terms. */
function imagesLoss(graph: GraphBuilder, comparison: Comparison): Value {
  const { node } = graph;
  const { batch, teacher } = comparison;
  const logits = logitsOf(graph, comparison);
  const weighted = (targets: Value, scores: Value) => {
    const products = node("Mul", [targets, node("LogSoftmax", [scores])]);
    return node("Neg", [sumOf(graph, node("Mul", [products, batch.weights]))]);
  };
  const hard = weighted(batch.labels, logits);
  if (!teacher) return hard;
  const { temperature, share, rest } = teacher;
  const soft = weighted(
    softTargets(graph, batch.views!, teacher),
    node("Div", [logits, temperature]),
  );
  const squared = node("Mul", [temperature, temperature]);
  return node("Add", [
    node("Mul", [hard, rest]),
    node("Mul", [soft, node("Mul", [share, squared])]),
  ]);
}

/** What the rows of the layer's weight are compared with. */
interface LayerTerms {
  /** Unit CAVs, [classes, dim], and the coefficient over their number. */
  readonly pull: { readonly cavs: Value; readonly factor: Value } | undefined;
  /** Unit CAVs, [artefacts, dim], and the coefficient over their number. */
  readonly penalty: { readonly artefacts: Value; readonly factor: Value } | undefined;
  readonly l1: Value | undefined;
}

function declareLayerTerms(graph: GraphBuilder, terms: StepTerms): LayerTerms {
  return {
    pull: terms.pull
      ? {
        cavs: graph.input("cavs", ["classes", "dim"]),
        factor: graph.input("pullFactor", []),
      }
      : undefined,
    penalty: terms.penalty
      ? {
        artefacts: graph.input("artefacts", ["artefacts", "dim"]),
        factor: graph.input("penaltyFactor", []),
      }
      : undefined,
    l1: terms.l1 ? graph.input("l1", []) : undefined,
  };
}

/** Lengths of the rows of W, [classes, 1], and their cosines with the CAVs. */
function cosinesWith(graph: GraphBuilder, weight: Value, cavs: Value) {
  const { node } = graph;
  const sumRows = (values: Value) => node("ReduceSum", [values, graph.integers([-1])]);
  const lengths = node("Sqrt", [sumRows(node("Mul", [weight, weight]))]);
  return { lengths, cosines: node("Div", [sumRows(node("Mul", [weight, cavs])), lengths]) };
}

/**
 * The gradients of the terms without images. For a row w of W and its unit CAV v:
 * -factor (v - cosine w / |w|) / |w|, which is 0 where v is 0. For unit artefacts as rows of A:
 * 2 factor W A' A.
 */
function layerGradients(
  graph: GraphBuilder,
  { layer: { weight }, layerTerms: { pull, penalty } }: {
    readonly layer: Layer;
    readonly layerTerms: LayerTerms;
  },
): Value[] {
  const { node } = graph;
  const gradients: Value[] = [];
  if (pull) {
    const { lengths, cosines } = cosinesWith(graph, weight, pull.cavs);
    const along = node("Mul", [weight, node("Div", [cosines, lengths])]);
    const gradient = node("Div", [node("Sub", [along, pull.cavs]), lengths]);
    gradients.push(node("Mul", [gradient, pull.factor]));
  }
  if (penalty) {
    const { artefacts, factor } = penalty;
    const derivatives = node("Gemm", [weight, artefacts], { transB: 1 });
    const twice = node("Mul", [node("Gemm", [derivatives, artefacts]), graph.scalar(2)]);
    gradients.push(node("Mul", [twice, factor]));
  }
  return gradients;
}

function layerLoss(
  graph: GraphBuilder,
  { layer: { weight, bias }, layerTerms: { pull, penalty, l1 }, weightDecay }: {
    readonly layer: Layer;
    readonly layerTerms: LayerTerms;
    readonly weightDecay: Value;
  },
): Value {
  const { node } = graph;
  const squares = (values: Value) => sumOf(graph, node("Mul", [values, values]));
  const half = node("Mul", [weightDecay, graph.scalar(0.5)]);
  let loss = node("Mul", [node("Add", [squares(weight), squares(bias)]), half]);
  const add = (sum: Value, factor: Value) => loss = node("Add", [loss, node("Mul", [sum, factor])]);
  if (pull) {
    const { cosines } = cosinesWith(graph, weight, pull.cavs);
    // A unit CAV counts 1 - cosine; a zero row counts nothing.
    add(node("Sub", [squares(pull.cavs), sumOf(graph, cosines)]), pull.factor);
  }
  if (penalty) {
    add(squares(node("Gemm", [weight, penalty.artefacts], { transB: 1 })), penalty.factor);
  }
  if (l1) add(sumOf(graph, node("Abs", [weight])), l1);
  return loss;
}
