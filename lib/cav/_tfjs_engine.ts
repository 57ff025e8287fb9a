import type * as tfCore from "@tensorflow/tfjs-core";
import { type Device, openTfjs } from "../onnx/mod.ts";
import { type Tensor, tensor } from "../tensor/mod.ts";
import {
  batchBounds,
  type CavEngine,
  type ColumnProblem,
  type Columns,
  type Descent,
  type LabelledImages,
  type ProbeImages,
} from "./engine.ts";

type Tf = typeof tfCore;

/** The engine on TensorFlow.js: the losses are written down, their gradients come from autodiff. */
export async function openTfjsEngine({ device }: { readonly device: Device }): Promise<CavEngine> {
  const { tf, description } = await openTfjs({ device });
  return {
    name: "tfjs",
    description,
    minimise: (problem, descent) => Promise.resolve(minimise(tf, { problem, descent })),
    product(a, b, { transpose = "second" } = {}) {
      const first = transpose === "first";
      return Promise.resolve(
        inScope(tf, () => unload(tf.matMul(load(tf, a), load(tf, b), first, !first))),
      );
    },
    close: () => Promise.resolve(),
  };
}

/** [groups, columns, dim] twice, then [groups, columns, 1] twice. */
interface State {
  readonly vectors: tfCore.Tensor;
  readonly velocities: tfCore.Tensor;
  readonly biases: tfCore.Tensor;
  readonly biasVelocities: tfCore.Tensor;
}

type Loss = (vectors: tfCore.Tensor, biases: tfCore.Tensor) => tfCore.Scalar;

function minimise(
  tf: Tf,
  { problem, descent }: { readonly problem: ColumnProblem; readonly descent: Descent },
): Columns {
  return inScope(tf, () => {
    const losses = batchLosses(tf, problem, descent.batches);
    const [groups = 0, columns = 0] = problem.initial.shape;
    const vectors = load(tf, problem.initial);
    const biases = tf.zeros([groups, columns, 1]);
    let state: State = {
      vectors,
      velocities: tf.zerosLike(vectors),
      biases,
      biasVelocities: tf.zerosLike(biases),
    };
    for (let epoch = 0; epoch < descent.epochs; epoch++) {
      for (const loss of losses) {
        const before = state;
        state = tf.tidy(() => step(tf, before, { loss, descent })) as unknown as State;
        tf.dispose(Object.values(before));
      }
    }
    return {
      vectors: unload(state.vectors),
      biases: tensor([groups, columns], unload(state.biases).data),
    };
  });
}

/** PyTorch's SGD: velocity = momentum velocity + gradient; parameter -= learningRate velocity. */
function step(
  tf: Tf,
  { vectors, velocities, biases, biasVelocities }: State,
  { loss, descent: { learningRate, momentum, weightDecay } }: {
    readonly loss: Loss;
    readonly descent: Descent;
  },
) {
  const [toVectors, toBiases] = tf.grads(loss)([vectors, biases]);
  const gradient = tf.add(toVectors!, tf.mul(vectors, weightDecay));
  const velocitiesAfter = tf.add(tf.mul(velocities, momentum), gradient);
  const biasVelocitiesAfter = tf.add(tf.mul(biasVelocities, momentum), toBiases!);
  return {
    vectors: tf.sub(vectors, tf.mul(velocitiesAfter, learningRate)),
    velocities: velocitiesAfter,
    biases: tf.sub(biases, tf.mul(biasVelocitiesAfter, learningRate)),
    biasVelocities: biasVelocitiesAfter,
  };
}

/** The loss of each minibatch, summed over the columns. */
function batchLosses(tf: Tf, { labelled, probes }: ColumnProblem, batches: number): Loss[] {
  const classification = labelled && classificationLoss(tf, labelled);
  return Array.from({ length: batches }, (_, batch) => {
    const guided = probes && guidanceLoss(tf, probes, { batch, batches });
    return (vectors, biases) => {
      // Times zero, so that every loss depends on the biases, as autodiff asks.
      const none: tfCore.Scalar = tf.sum(tf.mul(biases, 0));
      const terms = [classification?.(vectors, biases), guided?.(vectors, biases)];
      const present = terms.filter((term) => term !== undefined);
      return present.reduce<tfCore.Scalar>((sum, term) => tf.add(sum, term), none);
    };
  });
}

/** The logistic loss, log(1 + exp(s)) - label s for the score s, with positives moved if asked. */
function classificationLoss(tf: Tf, labelled: LabelledImages): Loss {
  const [groups = 0, images = 0] = labelled.labels.shape;
  const features = load(tf, labelled.features);
  const labels = tf.tensor(labelled.labels.data, [groups, 1, images]);
  const { perturbation = 0 } = labelled;
  return (vectors, biases) => {
    const direction = tf.div(constant(tf, vectors), lengthsOf(tf, constant(tf, vectors)));
    const moved = tf.mul(tf.sum(tf.mul(vectors, direction), -1, true), perturbation);
    const scores = tf.sub(
      tf.add(tf.matMul(vectors, features, false, true), biases),
      tf.mul(moved, labels),
    );
    const losses = tf.sub(tf.softplus(scores), tf.mul(scores, labels));
    return tf.div(tf.sum(losses), images);
  };
}

/** The weighted mean squared difference of cosines and targets over one minibatch. */
function guidanceLoss(
  tf: Tf,
  probes: ProbeImages,
  { batch, batches }: { readonly batch: number; readonly batches: number },
): Loss {
  const [count = 0] = probes.features.shape;
  const [from, to] = batchBounds(batch, { probes: count, batches });
  const features = tf.slice(load(tf, probes.features), from, to - from);
  const ofBatch = (values: Tensor) => {
    const [groups = 0, columns = 0] = values.shape;
    return tf.slice(load(tf, values), [0, 0, from], [groups, columns, to - from]);
  };
  const [targets, weights] = [ofBatch(probes.targets), ofBatch(probes.weights)];
  return (vectors) => {
    const columns = tf.reshape(vectors, [-1, vectors.shape.at(-1)!]);
    const products = tf.matMul(columns, features, false, true);
    const cosines = tf.div(tf.reshape(products, targets.shape), lengthsOf(tf, vectors));
    const losses = tf.mul(weights, tf.square(tf.sub(cosines, targets)));
    return tf.div(tf.sum(losses), to - from);
  };
}

function lengthsOf(tf: Tf, vectors: tfCore.Tensor): tfCore.Tensor {
  return tf.sqrt(tf.sum(tf.square(vectors), -1, true));
}

/** The same values, through which no gradient flows. */
function constant(tf: Tf, values: tfCore.Tensor): tfCore.Tensor {
  return tf.tensor(values.dataSync(), values.shape);
}

/** Runs a function and frees the tensors that it made. */
function inScope<T>(tf: Tf, run: () => T): T {
  tf.engine().startScope();
  try {
    return run();
  } finally {
    tf.engine().endScope();
  }
}

function load(tf: Tf, { shape, data }: Tensor): tfCore.Tensor {
  return tf.tensor(data, [...shape]);
}

function unload(values: tfCore.Tensor): Tensor {
  return tensor(values.shape, Float32Array.from(values.dataSync()));
}
