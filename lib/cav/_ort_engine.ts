import {
  createGraph,
  type Device,
  openSession,
  runtimeVersion,
  type Session,
} from "../onnx/mod.ts";
import { type Tensor, tensor, zeros } from "../tensor/mod.ts";
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
      const terms: EpochTerms = {
        batches: descent.batches,
        labelled: problem.labelled !== undefined,
        perturbed: (problem.labelled?.perturbation ?? 0) !== 0,
        probes: problem.probes !== undefined,
      };
      const epoch = await session(JSON.stringify(terms), () => buildEpoch(terms));
      const fixed = { ...scalars(problem, descent), ...images(problem, descent.batches) };
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
      return { vectors: state.vectors, biases: withoutLastAxis(state.biases) };
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

function startState({ initial }: ColumnProblem): State {
  const [groups = 0, columns = 0] = initial.shape;
  return {
    vectors: initial,
    velocities: zeros(initial.shape),
    biases: zeros([groups, columns, 1]),
    biasVelocities: zeros([groups, columns, 1]),
  };
}

function scalars({ labelled }: ColumnProblem, descent: Descent): Record<string, Tensor> {
  const scalar = (value: number) => tensor([], Float32Array.of(value));
  return {
    learningRate: scalar(descent.learningRate),
    momentum: scalar(descent.momentum),
    weightDecay: scalar(descent.weightDecay),
    perturbation: scalar(labelled?.perturbation ?? 0),
  };
}

function images({ labelled, probes }: ColumnProblem, batches: number): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  if (labelled) {
    const [groups = 0, count = 0] = labelled.labels.shape;
    feeds.labelled = labelled.features;
    feeds.labels = tensor([groups, 1, count], labelled.labels.data);
  }
  if (probes) {
    const [count = 0, dim = 0] = probes.features.shape;
    for (let k = 0; k < batches; k++) {
      const [from, to] = batchBounds(k, { probes: count, batches });
      feeds[`probes${k}`] = tensor(
        [to - from, dim],
        probes.features.data.subarray(from * dim, to * dim),
      );
      feeds[`targets${k}`] = columnsOf(probes.targets, { from, to, factor: 1 });
      feeds[`weights${k}`] = columnsOf(probes.weights, { from, to, factor: 2 / (to - from) });
    }
  }
  return feeds;
}

/** Probes from .. to of a [groups, columns, probes] tensor times a factor: [columns of all, size]. */
function columnsOf(
  values: Tensor,
  { from, to, factor }: { readonly from: number; readonly to: number; readonly factor: number },
): Tensor {
  const [groups = 0, columns = 0, count = 0] = values.shape;
  const part = zeros([groups * columns, to - from]);
  for (let i = 0; i < groups * columns; i++) {
    for (let j = from; j < to; j++) {
      part.data[i * (to - from) + j - from] = values.data[i * count + j]! * factor;
    }
  }
  return part;
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
