import {
  createGraph,
  type Device,
  openSession,
  runtimeVersion,
  type Session,
} from "../onnx/mod.ts";
import { row, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import { batchBounds, type CavEngine, type ColumnProblem, type Descent } from "./engine.ts";
import { buildEpoch, type EpochTerms, nameAfter, stateNames } from "./_epoch_graph.ts";

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
      const { labelled, probes, inSpan = false } = problem;
      const terms: EpochTerms = {
        batches: descent.batches,
        labelled: labelled !== undefined,
        perturbed: labelled?.perturbations !== undefined,
        probes: probes !== undefined,
        inSpan,
      };
      const epoch = await session(JSON.stringify(terms), () => buildEpoch(terms));
      const fixed = { ...scalars(descent), ...images(problem, descent.batches) };
      let state = startState(problem);
      for (let i = 0; i < descent.epochs; i++) {
        const after = await epoch.run({ ...state, ...fixed }, stateNames.map(nameAfter));
        state = {
          vectors: after.vectorsAfter,
          velocities: after.velocitiesAfter,
          biases: after.biasesAfter,
          biasVelocities: after.biasVelocitiesAfter,
        };
      }
      return {
        vectors: inSpan ? firstHalves(state.vectors) : state.vectors,
        biases: withoutLastAxis(state.biases),
      };
    },
    async product(a, b, { transpose = "second" } = {}) {
      const model = await session(`product ${transpose}`, () => buildProduct(transpose));
      return (await model.run({ a, b }, ["product"])).product;
    },
    async close() {
      for (const open of sessions.values()) await (await open).close();
      sessions.clear();
    },
  };
}

type State = Record<typeof stateNames[number], Tensor>;

function startState({ start, columns, inSpan }: ColumnProblem): State {
  const [groups = 0, dim = 0] = start.shape;
  const width = inSpan ? 2 * dim : dim;
  const vectors = zeros([groups, columns, width]);
  for (let i = 0; i < groups * columns; i++) {
    const end = (i + 1) * width;
    vectors.data.set(row(start, Math.floor(i / columns)), end - dim);
    // The start is the last of the basis.
    if (inSpan) vectors.data[end - dim - 1] = 1;
  }
  return {
    vectors,
    velocities: zeros(vectors.shape),
    biases: zeros([groups, columns, 1]),
    biasVelocities: zeros([groups, columns, 1]),
  };
}

function scalars({ learningRate, momentum, weightDecay }: Descent): Record<string, Tensor> {
  const scalar = (value: number) => tensor([], Float32Array.of(value));
  return {
    learningRate: scalar(learningRate),
    momentum: scalar(momentum),
    weightDecay: scalar(weightDecay),
  };
}

function images({ labelled, probes }: ColumnProblem, batches: number): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  if (labelled) {
    const { features, labels, perturbations } = labelled;
    const [groups = 0, count = 0] = labels.shape;
    feeds.labelled = features;
    feeds.labels = tensor([groups, 1, count], labels.data);
    if (perturbations) {
      feeds.perturbations = tensor([groups, 1, 1], Float32Array.from(perturbations));
    }
  }
  if (probes) {
    const [sets = 0, count = 0] = probes.features.shape;
    for (let k = 0; k < batches; k++) {
      const [from, to] = batchBounds(k, { probes: count, batches });
      feeds[`probes${k}`] = middleOf(probes.features, { from, to });
      feeds[`targets${k}`] = columnsOf(probes.targets, { from, to, sets, factor: 1 });
      const factor = 2 / (to - from);
      feeds[`weights${k}`] = columnsOf(probes.weights, { from, to, sets, factor });
    }
  }
  return feeds;
}

/** Rows from .. to of each matrix of a [sets, rows, dim] tensor. */
function middleOf(
  { shape, data }: Tensor,
  { from, to }: { readonly from: number; readonly to: number },
): Tensor {
  const [sets = 0, rows = 0, dim = 0] = shape;
  if (sets === 1) return tensor([1, to - from, dim], data.subarray(from * dim, to * dim));
  const part = zeros([sets, to - from, dim]);
  for (let set = 0; set < sets; set++) {
    const start = set * rows;
    row(part, set).set(data.subarray((start + from) * dim, (start + to) * dim));
  }
  return part;
}

/** Probes from .. to of a [groups, columns, probes] tensor times a factor: [sets, columns, size]. */
function columnsOf(
  values: Tensor,
  { from, to, sets, factor }: {
    readonly from: number;
    readonly to: number;
    readonly sets: number;
    readonly factor: number;
  },
): Tensor {
  const [groups = 0, columns = 0, count = 0] = values.shape;
  const part = zeros([sets, groups * columns / sets, to - from]);
  for (let i = 0; i < groups * columns; i++) {
    for (let j = from; j < to; j++) {
      part.data[i * (to - from) + j - from] = values.data[i * count + j]! * factor;
    }
  }
  return part;
}

/** The coefficients of pairs, [groups, columns, 2 basis] to [groups, columns, basis]. */
function firstHalves({ shape, data }: Tensor): Tensor {
  const [groups = 0, columns = 0, width = 0] = shape;
  const halves = zeros([groups, columns, width / 2]);
  for (let i = 0; i < groups * columns; i++) {
    halves.data.set(data.subarray(i * width, (i + 0.5) * width), i * width / 2);
  }
  return halves;
}

function withoutLastAxis({ shape, data }: Tensor): Tensor {
  return tensor(shape.slice(0, -1), data);
}

function buildProduct(transpose: "first" | "second"): Uint8Array {
  const graph = createGraph("product");
  const a = graph.input("a", ["a0", "a1"]);
  const b = graph.input("b", ["b0", "b1"]);
  const attributes = transpose === "first" ? { transA: 1 } : { transB: 1 };
  graph.output(graph.node("Gemm", [a, b], attributes), "product");
  return graph.build();
}
