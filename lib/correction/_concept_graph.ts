import { createGraph, type GraphBuilder, type Value } from "../onnx/mod.ts";

/** The cosines of unit `texts` with unit `views`, [concepts, images]. */
export function buildCosines(): Uint8Array {
  const graph = createGraph("cosines");
  graph.output(declareCosines(graph), "cosines");
  return graph.build();
}

/**
 * What concept neurons should answer: `targets`, [concepts, images], from unit features of `texts`
 * and `views`. The cosines of a concept are centred, cubed and divided by their length.
 */
export function buildTargets(): Uint8Array {
  const graph = createGraph("targets");
  graph.output(cubed(graph, declareCosines(graph)).unit, "targets");
  return graph.build();
}

function declareCosines(graph: GraphBuilder): Value {
  const texts = graph.input("texts", ["concepts", "width"]);
  const views = graph.input("views", ["images", "width"]);
  return graph.node("Gemm", [texts, views], { transB: 1 });
}

/** The similarity of concept neurons to their targets, [concepts, 1]. */
export function buildSimilarity(): Uint8Array {
  const graph = createGraph("similarity");
  const { features, targets, weight } = declare(graph);
  const { unit } = cubed(graph, graph.node("Gemm", [weight, features], { transB: 1 }));
  graph.output(sumRows(graph, graph.node("Mul", [unit, targets])), "similarity");
  return graph.build();
}

/** What Adam keeps of the past, in PyTorch's defaults. */
export const adam = { first: 0.9, second: 0.999, epsilon: 1e-8 } as const;

/**
 * One step of Adam towards more similarity. With q the answers of a neuron, a = q - mean(q), c = a^3
 * and u = c/|c|, the similarity to the unit target t is s = u . t; its gradient is (t - s u)/|c| at
 * c, 3 a^2 times that at a, and that less its mean at q.
 */
export function buildConceptStep(): Uint8Array {
  const graph = createGraph("concept step");
  const { node, scalar } = graph;
  const { features, targets, weight } = declare(graph);
  const [first, second] = ["first", "second"].map((name) => graph.input(name, ["concepts", "dim"]));
  // learningRate / (1 - 0.9^t), sqrt(1 - 0.999^t), and 1 over the number of all concepts.
  const [stepLength, secondScale, perConcept] = ["stepLength", "secondScale", "perConcept"]
    .map((name) => graph.input(name, []));
  const { centred, length, unit } = cubed(graph, node("Gemm", [weight, features], { transB: 1 }));
  const similarity = sumRows(graph, node("Mul", [unit, targets]));
  const atCubes = node("Div", [
    node("Sub", [targets, node("Mul", [unit, similarity])]),
    length,
  ]);
  const slopes = node("Mul", [node("Mul", [centred, centred]), scalar(3)]);
  const atAnswers = centre(graph, node("Mul", [slopes, atCubes]));
  const ascent = node("Gemm", [atAnswers, features]);
  const gradient = node("Neg", [node("Mul", [ascent, perConcept])]);
  const firstAfter = mixed(graph, first!, { with: gradient, keep: adam.first });
  const squares = node("Mul", [gradient, gradient]);
  const secondAfter = mixed(graph, second!, { with: squares, keep: adam.second });
  const deviation = node("Div", [node("Sqrt", [secondAfter]), secondScale]);
  const step = node("Div", [firstAfter, node("Add", [deviation, scalar(adam.epsilon)])]);
  graph.output(node("Sub", [weight, node("Mul", [step, stepLength])]), "weightAfter");
  graph.output(firstAfter, "firstAfter");
  graph.output(secondAfter, "secondAfter");
  return graph.build();
}

function declare(graph: GraphBuilder) {
  return {
    features: graph.input("features", ["images", "dim"]),
    targets: graph.input("targets", ["concepts", "images"]),
    weight: graph.input("weight", ["concepts", "dim"]),
  };
}

/** keep old + (1 - keep) new. */
function mixed(
  { node, scalar }: GraphBuilder,
  old: Value,
  { with: added, keep }: { readonly with: Value; readonly keep: number },
): Value {
  return node("Add", [
    node("Mul", [old, scalar(keep)]),
    node("Mul", [added, scalar(1 - keep)]),
  ]);
}

/** Each row less its mean, its cube's length, and its cube divided by it. */
function cubed(graph: GraphBuilder, rows: Value) {
  const { node } = graph;
  const centred = centre(graph, rows);
  const cubes = node("Mul", [node("Mul", [centred, centred]), centred]);
  const length = node("Sqrt", [sumRows(graph, node("Mul", [cubes, cubes]))]);
  return { centred, length, unit: node("Div", [cubes, length]) };
}

function centre({ node, integers }: GraphBuilder, rows: Value): Value {
  return node("Sub", [rows, node("ReduceMean", [rows, integers([-1])])]);
}

function sumRows({ node, integers }: GraphBuilder, rows: Value): Value {
  return node("ReduceSum", [rows, integers([-1])]);
}
