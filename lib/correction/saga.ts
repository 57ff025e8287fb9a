import type { FeatureRows } from "../activations/mod.ts";
import { UserError } from "../files/mod.ts";
import type { LastLayer } from "../models/mod.ts";
import { type Random, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import { epochWindows, evenParts } from "./_minibatches.ts";
import { openWindow } from "./_rows.ts";
import { buildSagaSteps, partsOfOne } from "./_saga_graph.ts";
import type { Sessions } from "./_sessions.ts";

/** Steps of a run of the runtime, at most. */
const stepsPerRun = 16;

/** A sparse logistic regression. */
export interface SparseLayerProblem {
  /** [images, dim]; the solver assumes them standardised. */
  readonly features: FeatureRows;
  /** The class of each image. */
  readonly labels: Int32Array;
  readonly classes: number;
}

/** How it is solved. */
export interface SparseLayerOptions {
  readonly penalty: number;
  readonly l1Share: number;
  readonly stepSize: number;
  readonly epochs: number;
  readonly tolerance: number;
  readonly batchSize: number;
  readonly random: Random;
  readonly sessions: Sessions;
  readonly signal?: AbortSignal | undefined;
  /** Residuals that are remembered as float32, at most; 2^27, half a gigabyte, when left out. */
  readonly exactResiduals?: number | undefined;
}

/**
 * Minimises over W and b
 *
 *     mean over images of CE(label, softmax(W x + b)) + penalty (l1Share |W|_1 + (1 - l1Share)/2 |W|_2^2)
 *
 * by proximal SAGA in minibatches, GLM-SAGA (arXiv 2105.04857, by which Label-free CBM fits its last
 * layer), from zero on. It ends with the run of steps in which one moves the layer by `tolerance` at
 * the most, or after `epochs`. scikit-learn writes the same with C = 1 / (penalty images).
 *
 * SAGA remembers a residual of each image and class. Where these are too many, as of ImageNet, they
 * are remembered in one byte: SAGA's gradient stays unbiased for whatever is remembered, as long
 * as its average is that of the remembered numbers, and only its variance near the end grows.
 *
 * @throws {UserError} when it diverges.
 */
export async function fitSparseLayer(
  { features, labels, classes }: SparseLayerProblem,
  { penalty, l1Share, stepSize, epochs, tolerance, batchSize, ...options }: SparseLayerOptions,
): Promise<LastLayer & { readonly epochs: number }> {
  const { random, sessions, signal, exactResiduals = 2 ** 27 } = options;
  const [images, dim] = features.shape;
  const rounded = images * classes > exactResiduals;
  const table = rememberResiduals({ labels, classes, rounded });
  const window = openWindow(features);
  const scalars = {
    stepSize: scalar(stepSize),
    shrink: scalar(stepSize * penalty * l1Share),
    divide: scalar(1 + stepSize * penalty * (1 - l1Share)),
    images: scalar(images),
  };
  let state = {
    weight: zeros([classes, dim]),
    weightAverage: zeros([classes, dim]),
    bias: zeros([classes]),
    biasAverage: zeros([classes]),
  };
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const { blocks, batches } of epochWindows({ images, batchSize }, random.split(epoch))) {
      await window.load(blocks);
      for (const run of evenParts(batches, stepsPerRun)) {
        signal?.throwIfAborted();
        const terms = { steps: run.length, classes, rounded };
        const session = await sessions.get("saga", { terms, build: buildSagaSteps });
        const feeds: Record<string, Tensor> = { ...scalars, ...state };
        for (const [step, batch] of run.entries()) {
          const rows = zeros([batch.length, dim]);
          window.gather(batch, rows.data);
          feeds[`features${step}`] = rows;
          const ofBatch = Float32Array.from(batch, (image) => labels[image]!);
          feeds[`labels${step}`] = tensor([batch.length], ofBatch);
          feeds[`old${step}`] = table.recall(batch);
        }
        const residuals = run.map((_, step) => `residuals${step}` as const);
        const after = await session.run(feeds, [
          "weightAfter",
          "weightAverageAfter",
          "biasAfter",
          "biasAverageAfter",
          "leastMove",
          ...residuals,
        ]);
        run.forEach((batch, step) => table.remember(batch, after[`residuals${step}`]!));
        state = {
          weight: after.weightAfter,
          weightAverage: after.weightAverageAfter,
          bias: after.biasAfter,
          biasAverage: after.biasAverageAfter,
        };
        const move = after.leastMove.data[0]!;
        if (!Number.isFinite(move)) throw diverged(epoch, stepSize);
        if (move <= tolerance) return { weight: state.weight, bias: state.bias, epochs: epoch + 1 };
      }
    }
  }
  return { weight: state.weight, bias: state.bias, epochs };
}

/** The last residual of each image and class, 0 at first. */
interface Residuals {
  /** Of some images, [images, classes]. */
  recall(batch: Int32Array): Tensor;
  remember(batch: Int32Array, residuals: Tensor): void;
}

/** In float32, or of the probability one byte: the residual is that less 1 at the label. */
function rememberResiduals(
  { labels, classes, rounded }: {
    readonly labels: Int32Array;
    readonly classes: number;
    readonly rounded: boolean;
  },
): Residuals {
  const [parts, Table] = rounded ? [partsOfOne, Uint8Array] as const : [1, Float32Array] as const;
  const table = new Table(labels.length * classes);
  if (rounded) labels.forEach((label, image) => table[image * classes + label] = parts);
  return {
    recall(batch) {
      const residuals = zeros([batch.length, classes]);
      for (const [i, image] of batch.entries()) {
        const row = table.subarray(image * classes, (image + 1) * classes);
        for (let k = 0; k < classes; k++) residuals.data[i * classes + k] = row[k]! / parts;
        if (rounded) residuals.data[i * classes + labels[image]!]! -= 1;
      }
      return residuals;
    },
    remember(batch, { data }) {
      for (const [i, image] of batch.entries()) {
        const row = table.subarray(image * classes, (image + 1) * classes);
        for (let k = 0; k < classes; k++) {
          const label = rounded && k === labels[image] ? 1 : 0;
          row[k] = rounded
            ? Math.round((data[i * classes + k]! + label) * parts)
            : data[i * classes + k]!;
        }
      }
    },
  };
}

function scalar(value: number): Tensor {
  return tensor([], Float32Array.of(value));
}

function diverged(epoch: number, stepSize: number): UserError {
  return new UserError(
    `Fitting a sparse last layer diverged in epoch ${
      epoch + 1
    }: it is not finite. Lower its step ` +
      `size, now ${stepSize}.`,
  );
}
