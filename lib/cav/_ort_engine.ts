import {
  createGraph,
  type Device,
  openSession,
  runtimeVersion,
  type Session,
} from "../onnx/mod.ts";
import { row, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import { buildPairMoments, momentsOfPairs, pairMomentsOutputs } from "./_pair_moments.ts";
import {
  batchBounds,
  type CavEngine,
  type ColumnProblem,
  type Descent,
  type ProductOptions,
} from "./engine.ts";
import { buildEpoch, type EpochPlan, nameAfter, stateShapes } from "./_epoch_graph.ts";

/**
 * The engine on onnxruntime: an epoch of closed-form gradient steps is one graph. It uses one
 * thread, since its products are too small to share; use several processes for several cores.
 */
export function openOrtEngine({ device }: { readonly device: Device }): CavEngine {
  const sessions = new Map<string, Promise<Session>>();
  const session = (key: string, build: () => Uint8Array) => {
    const open = sessions.get(key) ?? openSession(build(), { device, threads: 1 });
    sessions.set(key, open);
    return open;
  };
  return {
    name: "ort",
    description: `${runtimeVersion} on ${device}, one thread`,
    async minimise(problem, descent) {
      const plan = planOf(problem, descent);
      const epoch = await session(JSON.stringify(plan), () => buildEpoch(plan));
      const names = Object.keys(stateShapes(plan));
      const fixed = images(problem, plan);
      let state = startState(problem, plan);
      for (let i = 0; i < descent.epochs; i++) {
        const after = await epoch.run({ ...state, ...fixed }, names.map(nameAfter));
        state = Object.fromEntries(names.map((name) => [name, after[nameAfter(name)]!]));
      }
      const { groups, columns } = plan;
      return {
        vectors: state.vectors ?? state.coefficients!,
        biases: tensor([groups, columns], state.biases?.data ?? new Float32Array(groups * columns)),
      };
    },
    async product(a, b, { transpose = "second" } = {}) {
      const axes = a.shape.length;
      const model = await session(
        `product ${transpose} ${axes}`,
        () => buildProduct(transpose, axes),
      );
      return (await model.run({ a, b }, ["product"])).product;
    },
    async pairMoments(rows) {
      const [count = 0, dim = 0] = rows.shape;
      const model = await session(
        `pair moments ${rows.shape}`,
        () => buildPairMoments([count, dim]),
      );
      return momentsOfPairs(await model.run({ rows }, pairMomentsOutputs));
    },
    async close() {
      for (const open of sessions.values()) await (await open).close();
      sessions.clear();
    },
  };
}

function planOf(
  { start, columns, labelled, probes, inSpan = false }: ColumnProblem,
  { learningRate, momentum, weightDecay, batches }: Descent,
): EpochPlan {
  const [groups = 0, width = 0] = start.shape;
  return {
    learningRate,
    momentum,
    weightDecay,
    batches,
    groups,
    columns,
    width,
    images: labelled?.labels.shape[1] ?? 0,
    perturbed: labelled?.perturbations !== undefined,
    probes: probes?.features.shape[1] ?? 0,
    inSpan,
  };
}

/** Zeros, but for the vectors: each column starts where its group does. */
function startState(
  { start }: ColumnProblem,
  plan: EpochPlan,
): Readonly<Record<string, Tensor>> {
  const { groups, columns, width, inSpan } = plan;
  const state = Object.fromEntries(
    Object.entries(stateShapes(plan)).map(([name, shape]) => [name, zeros(shape)]),
  );
  for (let i = 0; i < groups * columns; i++) {
    const from = row(start, Math.floor(i / columns));
    (state.vectors ?? state.products!).data.set(from, i * width);
    // The start is the last of the basis.
    if (inSpan) state.coefficients!.data[(i + 1) * width - 1] = 1;
  }
  return state;
}

function images(
  { labelled, probes }: ColumnProblem,
  { groups, columns, batches }: EpochPlan,
): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  if (labelled) {
    const { features, labels, perturbations } = labelled;
    feeds.labelled = features;
    feeds.labels = forColumns(labels, columns);
    if (perturbations) {
      const ofGroups = tensor([groups, 1], Float32Array.from(perturbations));
      feeds.perturbations = forColumns(ofGroups, columns);
    }
  }
  if (probes) {
    const { features: { shape: [, count = 0, width = 0], data }, targets, weights, across } =
      probes;
    Object.assign(feeds, { targets, weights }, across && { across });
    for (let k = 0; k < batches; k++) {
      const [from, to] = batchBounds(k, { probes: count, batches });
      feeds[`probes${k}`] = tensor([to - from, width], data.subarray(from * width, to * width));
    }
  }
  return feeds;
}

/**
 * The same row for each column of a group, [groups, width] to [groups, columns, width]: onnxruntime
 * stretches the last axis quickly, and the middle one slowly.
 */
function forColumns(rows: Tensor, columns: number): Tensor {
  const [groups = 0, width = 0] = rows.shape;
  const all = zeros([groups, columns, width]);
  for (let i = 0; i < groups * columns; i++) {
    all.data.set(row(rows, Math.floor(i / columns)), i * width);
  }
  return all;
}

function buildProduct(transpose: ProductOptions["transpose"], axes: number): Uint8Array {
  const graph = createGraph("product");
  const extents = (name: string) => Array.from({ length: axes }, (_, axis) => `${name}${axis}`);
  const operands = (["a", "b"] as const).map((name, i) => {
    const operand = graph.input(name, extents(name));
    if (transpose !== (["first", "second"] as const)[i]) return operand;
    return graph.node("Transpose", [operand], { perm: axes === 2 ? [1, 0] : [0, 2, 1] });
  });
  graph.output(graph.node("MatMul", operands), "product");
  return graph.build();
}
