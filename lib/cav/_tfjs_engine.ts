import type * as tfCore from "@tensorflow/tfjs-core";
import { type Device, openTfjs } from "../onnx/mod.ts";
import { type Tensor, tensor, zeros } from "../tensor/mod.ts";
import {
  batchBounds,
  type CavEngine,
  type ColumnProblem,
  type Columns,
  type Descent,
  type LabelledImages,
  type ProbeImages,
} from "./engine.ts";
import type { Moments } from "./gaussian_alignment.ts";
import { momentsOfPairs } from "./_pair_moments.ts";

type Tf = typeof tfCore;

/** The engine on TensorFlow.js: the losses are written down, their gradients come from autodiff. */
export async function openTfjsEngine({ device }: { readonly device: Device }): Promise<CavEngine> {
  const { tf, description } = await openTfjs({ device });
  return {
    name: "tfjs",
    description,
    minimise: (problem, descent) => Promise.resolve(minimise(tf, { problem, descent })),
    product(a, b, { transpose = "second" } = {}) {
      const [first, second] = [transpose === "first", transpose === "second"];
      return Promise.resolve(
        inScope(tf, () => unload(tf.matMul(load(tf, a), load(tf, b), first, second))),
      );
    },
    pairMoments: (rows) => Promise.resolve(inScope(tf, () => pairMoments(tf, rows))),
    close: () => Promise.resolve(),
  };
}

/** The whole Gram matrix around the mean of the rows, as one strip and one block. */
function pairMoments(tf: Tf, rows: Tensor): Moments {
  const all = load(tf, rows);
  const mean = tf.mean(all, 0, true);
  const deviations = tf.sub(all, mean);
  const [count = 0, dim = 0] = rows.shape;
  const gram = tf.matMul(deviations, deviations, dim < count, dim >= count);
  const squares = unload(tf.sum(tf.square(gram), -1));
  return momentsOfPairs({
    mean: unload(mean),
    along: unload(tf.matMul(deviations, tf.tile(mean, [2, 1]), false, true)),
    strips: squares,
    blocks: squares,
  });
}

/** [groups, columns, dim] twice, then [groups, columns, 1] twice. */
interface State {
  readonly vectors: tfCore.Tensor;
  readonly velocities: tfCore.Tensor;
  readonly biases: tfCore.Tensor;
  readonly biasVelocities: tfCore.Tensor;
}

/**
 * Rows by their coefficients in the basis of a span and their products with it, which as a pair
 * [c | q] are what descent updates; both are the row itself where rows are coordinates.
 */
type Halves = readonly [tfCore.Tensor, tfCore.Tensor];

type Loss = (vectors: Halves, biases: tfCore.Tensor) => tfCore.Scalar;

function minimise(
  tf: Tf,
  { problem, descent }: { readonly problem: ColumnProblem; readonly descent: Descent },
): Columns {
  return inScope(tf, () => {
    const losses = batchLosses(tf, problem, descent.batches);
    const [groups = 0, dim = 0] = problem.start.shape;
    const { columns, inSpan = false } = problem;
    const start = halvesOf(tf, tensor([groups, 1, dim], problem.start.data), {
      // The start is the last of the basis.
      from: inSpan ? dim - 1 : undefined,
    });
    const vectors = tf.tile(inSpan ? tf.concat([...start], -1) : start[0], [1, columns, 1]);
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
        state = tf.tidy(() => step(tf, before, { loss, descent, inSpan })) as unknown as State;
        tf.dispose(Object.values(before));
      }
    }
    const trained = inSpan ? splitPairs(tf, state.vectors)[0] : state.vectors;
    return {
      vectors: unload(trained),
      biases: tensor([groups, columns], unload(state.biases).data),
    };
  });
}

/** PyTorch's SGD: velocity = momentum velocity + gradient; parameter -= learningRate velocity. */
function step(
  tf: Tf,
  { vectors, velocities, biases, biasVelocities }: State,
  { loss, descent: { learningRate, momentum, weightDecay }, inSpan }: {
    readonly loss: Loss;
    readonly descent: Descent;
    readonly inSpan: boolean;
  },
) {
  const [toVectors, toBiases] = gradientsOf(tf, loss, { vectors, biases, inSpan });
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

/**
 * The gradients of a loss. With u . v = (c_u q_v + q_u c_v) / 2, the derivatives by the coefficients
 * are half of the products of the gradient, and those by the products half of its coefficients.
 */
function gradientsOf(
  tf: Tf,
  loss: Loss,
  { vectors, biases, inSpan }: {
    readonly vectors: tfCore.Tensor;
    readonly biases: tfCore.Tensor;
    readonly inSpan: boolean;
  },
): tfCore.Tensor[] {
  if (!inSpan) {
    return tf.grads((v: tfCore.Tensor, b: tfCore.Tensor) => loss([v, v], b))([vectors, biases]);
  }
  const [coefficients, products] = splitPairs(tf, vectors);
  const [byCoefficients, byProducts, byBiases] = tf.grads(
    (c: tfCore.Tensor, q: tfCore.Tensor, b: tfCore.Tensor) => loss([c, q], b),
  )([coefficients, products, biases]);
  return [tf.mul(tf.concat([byProducts!, byCoefficients!], -1), 2), byBiases!];
}

/** The loss of each minibatch, summed over the columns. */
function batchLosses(tf: Tf, problem: ColumnProblem, batches: number): Loss[] {
  const { labelled, probes, inSpan = false } = problem;
  const classification = labelled && classificationLoss(tf, labelled, {
    from: inSpan ? probes?.features.shape[1] ?? 0 : undefined,
  });
  const all = probes && halvesOf(tf, probesOf(tf, probes), { from: inSpan ? 0 : undefined });
  return Array.from({ length: batches }, (_, batch) => {
    const guided = probes && guidanceLoss(tf, probes, { batch, batches, all: all! });
    return (vectors, biases) => {
      // Times zero, so that every loss depends on all that it is derived by, as autodiff asks.
      const none: tfCore.Scalar = tf.sum(tf.mul(biases, 0));
      const terms = [classification?.(vectors, biases), guided?.(vectors, biases)];
      const present = terms.filter((term) => term !== undefined);
      return present.reduce<tfCore.Scalar>((sum, term) => tf.add(sum, term), none);
    };
  });
}

/** The features of the probes; in a span, their products with the whole basis of each group. */
function probesOf(tf: Tf, { features, across }: ProbeImages): Tensor {
  if (!across) return features;
  const tiled = tf.tile(load(tf, features), [across.shape[0]!, 1, 1]);
  return unload(tf.concat([tiled, tf.transpose(load(tf, across), [0, 2, 1])], -1));
}

/** The logistic loss, log(1 + exp(s)) - label s for the score s, with positives moved if asked. */
function classificationLoss(
  tf: Tf,
  labelled: LabelledImages,
  { from }: { readonly from: number | undefined },
): Loss {
  const [groups = 0, images = 0] = labelled.labels.shape;
  const features = halvesOf(tf, labelled.features, { from });
  const labels = tf.tensor(labelled.labels.data, [groups, 1, images]);
  const perturbations = labelled.perturbations && tf.tensor(
    [...labelled.perturbations],
    [groups, 1, 1],
  );
  return (vectors, biases) => {
    const plain = tf.add(productsOf(tf, vectors, features), biases);
    const scores = perturbations
      ? tf.sub(plain, tf.mul(tf.mul(lengthsAlong(tf, vectors), perturbations), labels))
      : plain;
    const losses = tf.sub(tf.softplus(scores), tf.mul(scores, labels));
    return tf.div(tf.sum(losses), images);
  };
}

/** The weighted mean squared difference of cosines and targets over one minibatch. */
function guidanceLoss(
  tf: Tf,
  probes: ProbeImages,
  { batch, batches, all }: {
    readonly batch: number;
    readonly batches: number;
    /** The features of all probes. */
    readonly all: Halves;
  },
): Loss {
  const [, count = 0] = probes.features.shape;
  const sets = all[0].shape[0]!;
  const [from, to] = batchBounds(batch, { probes: count, batches });
  const ofBatch = (values: Tensor) => {
    const [groups = 0, columns = 0] = values.shape;
    return tf.slice(load(tf, values), [0, 0, from], [groups, columns, to - from]);
  };
  const features = bothHalves(
    all,
    (half) => tf.slice(half, [0, from, 0], [sets, to - from, half.shape[2]!]),
  );
  const [targets, weights] = [ofBatch(probes.targets), ofBatch(probes.weights)];
  return (vectors) => {
    const columns = bothHalves(vectors, (half) => tf.reshape(half, [sets, -1, half.shape.at(-1)!]));
    const products = tf.reshape(productsOf(tf, columns, features), targets.shape);
    const cosines = tf.div(products, lengthsOf(tf, vectors));
    const losses = tf.mul(weights, tf.square(tf.sub(cosines, targets)));
    return tf.div(tf.sum(losses), to - from);
  };
}

/** v . x of [groups, columns, dim] and [groups, images, dim]: [groups, columns, images]. */
function productsOf(tf: Tf, vectors: Halves, images: Halves): tfCore.Tensor {
  const product = (a: tfCore.Tensor, b: tfCore.Tensor) => tf.matMul(a, b, false, true);
  if (vectors[0] === vectors[1]) return product(vectors[0], images[0]);
  return tf.div(tf.add(product(vectors[0], images[1]), product(vectors[1], images[0])), 2);
}

/** |v| of each row. */
function lengthsOf(tf: Tf, [coefficients, products]: Halves): tfCore.Tensor {
  return tf.sqrt(tf.sum(tf.mul(coefficients, products), -1, true));
}

/** v . d for the direction d = v/|v| through which no gradient flows: |v| of each row. */
function lengthsAlong(tf: Tf, vectors: Halves): tfCore.Tensor {
  const fixed = bothHalves(vectors, (half) => tf.tensor(half.dataSync(), half.shape));
  const lengths = lengthsOf(tf, fixed);
  const [c, q] = bothHalves(fixed, (half) => tf.div(half, lengths));
  const along = tf.add(tf.mul(vectors[0], q), tf.mul(vectors[1], c));
  return tf.div(tf.sum(along, -1, true), 2);
}

/** The same of each half, once where they are one. */
function bothHalves([first, second]: Halves, of: (half: tfCore.Tensor) => tfCore.Tensor): Halves {
  const changed = of(first);
  return [changed, first === second ? changed : of(second)];
}

/** Rows of coordinates, or of products with a basis in which they stand from a place on. */
function halvesOf(
  tf: Tf,
  rows: Tensor,
  { from }: { readonly from: number | undefined },
): Halves {
  const products = load(tf, rows);
  if (from === undefined) return [products, products];
  const [sets = 0, count = 0, basis = 0] = rows.shape;
  const units = zeros([1, count, basis]);
  for (let i = 0; i < count; i++) units.data[i * basis + from + i] = 1;
  return [tf.tile(load(tf, units), [sets, 1, 1]), products];
}

/** [c | q] to c and q. */
function splitPairs(tf: Tf, pairs: tfCore.Tensor): Halves {
  return tf.split(pairs, 2, -1) as [tfCore.Tensor, tfCore.Tensor];
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
