import { createGraph, type GraphBuilder, type Value } from "../onnx/mod.ts";
import { batchBounds, type Descent } from "./engine.ts";
import {
  classificationMove,
  coordinateSpace,
  guidanceMove,
  type Labelled,
  type Move,
  type ProbeBatch,
  type Space,
  spanSpace,
} from "./_moves.ts";

/** All that an epoch's graph depends on; with extents known, it needs no arithmetic on shapes. */
export interface EpochPlan extends Omit<Descent, "epochs"> {
  readonly groups: number;
  readonly columns: number;
  /** The length of a vector: dim, or the size of a basis. */
  readonly width: number;
  /** Labelled images of a group; 0 without the term. */
  readonly images: number;
  readonly perturbed: boolean;
  /** 0 without the term. */
  readonly probes: number;
  readonly inSpan: boolean;
}

/**
 * What an epoch hands to the next, and its shape. A vector is one part, or two in a span; without
 * momentum there is no velocity, and without labelled images no bias.
 */
export function stateShapes(plan: EpochPlan): Readonly<Record<string, readonly number[]>> {
  const { groups, columns, width, images, momentum, inSpan } = plan;
  const vector = [groups, columns, width];
  const names = inSpan ? ["coefficients", "products"] : ["vectors"];
  const entries: [string, number[]][] = names.map((name) => [name, vector]);
  if (images > 0) entries.push(["biases", [groups, columns, 1]]);
  const velocities = entries.map(([name, shape]) => [velocityOf(name), shape] as const);
  return Object.fromEntries(momentum === 0 ? entries : [...entries, ...velocities]);
}

/** The graph's output that holds a part of the state after the epoch. */
export function nameAfter(name: string): string {
  return `${name} after`;
}

function velocityOf(name: string): string {
  return `velocity of ${name}`;
}

type State = Readonly<Record<string, Value>>;

/** One epoch of gradient descent, its steps unrolled. */
export function buildEpoch(plan: EpochPlan): Uint8Array {
  const graph = createGraph("epoch");
  const shapes = Object.entries(stateShapes(plan));
  let state: State = Object.fromEntries(
    shapes.map(([name, shape]) => [name, graph.input(name, shape)]),
  );
  const space = plan.inSpan ? spanSpace(graph, plan.width) : coordinateSpace(graph);
  const batches = declareProbes(graph, plan);
  const labelled = declareLabelled(graph, plan);
  for (let batch = 0; batch < plan.batches; batch++) {
    const probes = batches[batch];
    state = step(graph, state, { plan, space, probes, labelled });
  }
  for (const [name] of shapes) graph.output(state[name]!, nameAfter(name));
  return graph.build();
}

/** The batches of probes, which stand first in the basis of a span. */
function declareProbes(graph: GraphBuilder, plan: EpochPlan): ProbeBatch[] {
  const { groups, columns, width, probes, batches, inSpan } = plan;
  if (probes === 0) return [];
  const bounds = Array.from({ length: batches }, (_, k) => batchBounds(k, { probes, batches }));
  const sizes = graph.integers(bounds.map(([from, to]) => to - from));
  /** Each batch's part of an input whose last axis is the probes. */
  const split = (name: string, rows: number) => {
    const all = graph.input(name, [groups, rows, probes]);
    const attributes = { axis: -1 };
    return graph.nodes("Split", [all, sizes], { outputs: batches, attributes });
  };
  const targets = split("targets", columns);
  const weights = split("weights", columns);
  const across = inSpan ? split("across", width - probes) : undefined;
  return bounds.map(([from, to], k) => ({
    images: {
      features: graph.input(`probes${k}`, [to - from, inSpan ? probes : width]),
      shared: true,
      across: across && graph.node("Transpose", [across[k]!], { perm: [0, 2, 1] }),
      from,
      to,
    },
    targets: targets[k]!,
    weights: weights[k]!,
  }));
}

function declareLabelled(graph: GraphBuilder, plan: EpochPlan): Labelled | undefined {
  const { groups, columns, width, images, probes, perturbed } = plan;
  if (images === 0) return undefined;
  return {
    images: {
      features: graph.input("labelled", [groups, images, width]),
      shared: false,
      from: probes,
      to: probes + images,
    },
    labels: graph.input("labels", [groups, columns, images]),
    perturbations: perturbed ? graph.input("perturbations", [groups, columns, 1]) : undefined,
  };
}

/**
 * PyTorch's SGD: velocity = momentum velocity + gradient; parameter -= learningRate velocity. The
 * learning rate, which does not change, is in the velocities here.
 */
function step(
  graph: GraphBuilder,
  state: State,
  { plan, space, probes, labelled }: {
    readonly plan: EpochPlan;
    readonly space: Space;
    readonly probes: ProbeBatch | undefined;
    readonly labelled: Labelled | undefined;
  },
): State {
  const { node, scalar } = graph;
  const { learningRate, momentum, weightDecay } = plan;
  const add = (a: Value, b: Value) => node("Add", [a, b]);
  const names = plan.inSpan ? ["coefficients", "products"] : ["vectors"];
  const vectors = names.map((name) => state[name]!);
  const terms = { vectors, space, learningRate };
  const moves: Move[] = [];
  if (probes) moves.push(guidanceMove(graph, { ...terms, batch: probes }));
  if (labelled) {
    moves.push(classificationMove(graph, { ...terms, labelled, biases: state.biases! }));
  }
  const shrinks = moves.flatMap(({ shrink }) => shrink ?? []);
  if (weightDecay !== 0) shrinks.push(scalar(learningRate * weightDecay));
  const shrink = shrinks.length > 0 ? shrinks.reduce(add) : undefined;
  const after: Record<string, Value> = {};
  const descend = (name: string, move: Value) => {
    const velocity = momentum === 0
      ? move
      : add(node("Mul", [state[velocityOf(name)]!, scalar(momentum)]), move);
    if (momentum !== 0) after[velocityOf(name)] = velocity;
    after[name] = node("Sub", [state[name]!, velocity]);
  };
  names.forEach((name, part) => {
    const sums = moves.map(({ sums }) => sums[part]!);
    if (shrink) sums.push(node("Mul", [state[name]!, shrink]));
    descend(name, sums.reduce(add));
  });
  for (const { biases } of moves) if (biases) descend("biases", biases);
  return after;
}
