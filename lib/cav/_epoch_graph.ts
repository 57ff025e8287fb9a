import { createGraph, type GraphBuilder, type Value } from "../onnx/mod.ts";
import {
  classificationGradient,
  type Gradient,
  guidanceGradient,
  type Labelled,
  labelledInputs,
} from "./_gradients.ts";

/** Which terms the loss of an epoch has, and how many steps it takes. */
export interface EpochTerms {
  readonly batches: number;
  readonly labelled: boolean;
  readonly perturbed: boolean;
  readonly probes: boolean;
}

/** What one epoch hands to the next: [groups, columns, dim] twice, [groups, columns, 1] twice. */
export const stateNames = ["vectors", "velocities", "biases", "biasVelocities"] as const;

/** The graph's output that holds a part of the state after the epoch. */
export function nameAfter<Name extends typeof stateNames[number]>(name: Name): `${Name}After` {
  return `${name}After`;
}

type State = Readonly<Record<typeof stateNames[number], Value>>;

/** One epoch of gradient descent, its steps unrolled, for any number of columns and dimensions. */
export function buildEpoch(terms: EpochTerms): Uint8Array {
  const graph = createGraph("epoch");
  const settings = {
    learningRate: graph.input("learningRate", []),
    momentum: graph.input("momentum", []),
    weightDecay: graph.input("weightDecay", []),
  };
  const perturbation = terms.perturbed ? graph.input("perturbation", []) : undefined;
  const labelled = terms.labelled ? labelledInputs(graph) : undefined;
  let state: State = {
    vectors: graph.input("vectors", ["groups", "columns", "dim"]),
    velocities: graph.input("velocities", ["groups", "columns", "dim"]),
    biases: graph.input("biases", ["groups", "columns", 1]),
    biasVelocities: graph.input("biasVelocities", ["groups", "columns", 1]),
  };
  for (let batch = 0; batch < terms.batches; batch++) {
    const gradients = gradientsOf(graph, {
      state,
      labelled,
      perturbation,
      batch: terms.probes ? batch : undefined,
    });
    state = step(graph, { state, gradients, ...settings });
  }
  for (const name of stateNames) graph.output(state[name], nameAfter(name));
  return graph.build();
}

function gradientsOf(
  graph: GraphBuilder,
  { state: { vectors, biases }, labelled, perturbation, batch }: {
    readonly state: State;
    readonly labelled: Labelled | undefined;
    readonly perturbation: Value | undefined;
    readonly batch: number | undefined;
  },
): Gradient[] {
  const gradients: Gradient[] = [];
  if (batch !== undefined) gradients.push(guidanceGradient(graph, { vectors, batch }));
  if (labelled) {
    gradients.push(classificationGradient(graph, { vectors, biases, labelled, perturbation }));
  }
  return gradients;
}

/** PyTorch's SGD: velocity = momentum velocity + gradient; parameter -= learningRate velocity. */
function step(
  graph: GraphBuilder,
  { state, gradients, learningRate, momentum, weightDecay }: {
    readonly state: State;
    readonly gradients: readonly Gradient[];
    readonly learningRate: Value;
    readonly momentum: Value;
    readonly weightDecay: Value;
  },
): State {
  const { node } = graph;
  const add = (a: Value, b: Value) => node("Add", [a, b]);
  const decay = node("Mul", [state.vectors, weightDecay]);
  const gradient = gradients.map(({ vectors }) => vectors).reduce(add, decay);
  const velocities = add(node("Mul", [state.velocities, momentum]), gradient);
  const vectors = node("Sub", [state.vectors, node("Mul", [velocities, learningRate])]);
  const biasGradients = gradients.flatMap(({ biases }) => biases ?? []);
  if (biasGradients.length === 0) return { ...state, vectors, velocities };
  const biasVelocities = biasGradients.reduce(
    add,
    node("Mul", [state.biasVelocities, momentum]),
  );
  const biases = node("Sub", [state.biases, node("Mul", [biasVelocities, learningRate])]);
  return { vectors, velocities, biases, biasVelocities };
}
