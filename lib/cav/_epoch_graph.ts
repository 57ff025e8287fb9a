import { createGraph, type GraphBuilder, type Value } from "../onnx/mod.ts";
import {
  classificationGradient,
  coordinateSpace,
  type Gradient,
  guidanceGradient,
  type Labelled,
  labelledInputs,
  type ProbeBatch,
  probeInputs,
  type Space,
  spanSpace,
} from "./_gradients.ts";

/** Which terms the loss of an epoch has, how many steps it takes, and where vectors live. */
export interface EpochTerms {
  readonly batches: number;
  readonly labelled: boolean;
  readonly perturbed: boolean;
  readonly probes: boolean;
  readonly inSpan: boolean;
}

/**
 * What one epoch hands to the next: [groups, columns, width] twice, [groups, columns, 1] twice. The
 * width is dim, or twice dim for the pairs of a span.
 */
export const stateNames = ["vectors", "velocities", "biases", "biasVelocities"] as const;

/** The graph's output that holds a part of the state after the epoch. */
export function nameAfter<Name extends typeof stateNames[number]>(name: Name): `${Name}After` {
  return `${name}After`;
}

type State = Readonly<Record<typeof stateNames[number], Value>>;

/** What the losses of an epoch are made of. */
interface Losses {
  readonly space: Space;
  /** One for each step, or none. */
  readonly probes: readonly ProbeBatch[];
  readonly labelled: Labelled | undefined;
  readonly perturbations: Value | undefined;
}

/** One epoch of gradient descent, its steps unrolled, for any number of columns and dimensions. */
export function buildEpoch(terms: EpochTerms): Uint8Array {
  const graph = createGraph("epoch");
  const settings = {
    learningRate: graph.input("learningRate", []),
    momentum: graph.input("momentum", []),
    weightDecay: graph.input("weightDecay", []),
  };
  const losses = declareLosses(graph, terms);
  let state: State = {
    vectors: graph.input("vectors", ["groups", "columns", "width"]),
    velocities: graph.input("velocities", ["groups", "columns", "width"]),
    biases: graph.input("biases", ["groups", "columns", 1]),
    biasVelocities: graph.input("biasVelocities", ["groups", "columns", 1]),
  };
  for (let batch = 0; batch < terms.batches; batch++) {
    const gradients = gradientsOf(graph, state, { batch, ...losses });
    state = step(graph, { state, gradients, ...settings });
  }
  for (const name of stateNames) graph.output(state[name], nameAfter(name));
  return graph.build();
}

function declareLosses(graph: GraphBuilder, terms: EpochTerms): Losses {
  const probes: ProbeBatch[] = [];
  let end = graph.integers([0]);
  for (let batch = 0; terms.probes && batch < terms.batches; batch++) {
    probes.push(probeInputs(graph, batch, end));
    end = probes[batch]!.images.to;
  }
  return {
    space: terms.inSpan ? spanSpace(graph) : coordinateSpace(graph),
    probes,
    labelled: terms.labelled ? labelledInputs(graph, end) : undefined,
    perturbations: terms.perturbed ? graph.input("perturbations", ["groups", 1, 1]) : undefined,
  };
}

function gradientsOf(
  graph: GraphBuilder,
  { vectors, biases }: State,
  { batch, space, probes, labelled, perturbations }: Losses & { readonly batch: number },
): Gradient[] {
  const gradients: Gradient[] = [];
  const ofBatch = probes[batch];
  if (ofBatch) gradients.push(guidanceGradient(graph, { vectors, batch: ofBatch, space }));
  if (labelled) {
    gradients.push(
      classificationGradient(graph, { vectors, biases, labelled, perturbations, space }),
    );
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
