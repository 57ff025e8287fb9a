import type { FeatureRows } from "../activations/mod.ts";
import type { Correction } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import type { LastLayer } from "../models/mod.ts";
import { type Random, row, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import { scalar } from "./_graph_parts.ts";
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

type SparseLayerSettings = Pick<
  Correction<"label_free_cbm">["hyperparameters"],
  | "penalty"
  | "l1Share"
  | "sagaStepSize"
  | "sagaBatchSize"
  | "sagaEpochs"
  | "sagaSteps"
  | "sagaTolerance"
>;

/** How it is solved. */
export interface SparseLayerOptions extends SparseLayerSettings {
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
 * layer), from zero on. It ends with the run of steps in which one moves the layer by
 * `sagaTolerance` at the most, or with the last epoch. scikit-learn writes the same with C = 1 / (penalty images).
 *
 * SAGA remembers a residual of each image and class. Where these are too many, as of ImageNet, they
 * are remembered in one byte: SAGA's gradient stays unbiased for whatever is remembered, as long
 * as its average is that of the remembered numbers, and only its variance near the end grows.
 *
 * @throws {UserError} when it diverges.
 */
export async function fitSparseLayer(
  { features, labels, classes }: SparseLayerProblem,
  options: SparseLayerOptions,
): Promise<LastLayer & { readonly epochs: number }> {
  const { penalty, l1Share, sagaStepSize, random, sessions, signal } = options;
  const [images, dim] = features.shape;
  const batchSize = options.sagaBatchSize;
  const epochs = Math.min(
    options.sagaEpochs,
    Math.ceil(options.sagaSteps / Math.ceil(images / batchSize)),
  );
  const rounded = images * classes > (options.exactResiduals ?? 2 ** 27);
  const sizes = { images, width: dim, batchSize };
  const table = rememberResiduals({ labels, classes, rounded });
  const window = openWindow(features);
  const scalars = {
    stepSize: scalar(sagaStepSize),
    shrink: scalar(sagaStepSize * penalty * l1Share),
    divide: scalar(1 + sagaStepSize * penalty * (1 - l1Share)),
    images: scalar(images),
  };
  let state = {
    weight: zeros([classes, dim]),
    weightAverage: zeros([classes, dim]),
    bias: zeros([classes]),
    biasAverage: zeros([classes]),
  };
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const { blocks, batches } of epochWindows(sizes, random.split(epoch))) {
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
        if (!Number.isFinite(move)) throw diverged(epoch, sagaStepSize);
        if (move <= options.sagaTolerance) {
          return { weight: state.weight, bias: state.bias, epochs: epoch + 1 };
        }
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
  const ofImage = (image: number) => table.subarray(image * classes, (image + 1) * classes);
  return {
    recall(batch) {
      const residuals = zeros([batch.length, classes]);
      for (const [i, image] of batch.entries()) residuals.data.set(ofImage(image), i * classes);
      if (!rounded) return residuals;
      for (let i = 0; i < residuals.data.length; i++) residuals.data[i]! /= parts;
      for (const [i, image] of batch.entries()) residuals.data[i * classes + labels[image]!]! -= 1;
      return residuals;
    },
    remember(batch, residuals) {
      for (const [i, image] of batch.entries()) {
        const values = row(residuals, i);
        if (rounded) {
          values[labels[image]!]! += 1;
          for (let k = 0; k < classes; k++) values[k] = Math.round(values[k]! * parts);
        }
        ofImage(image).set(values);
      }
    },
  };
}

function diverged(epoch: number, stepSize: number): UserError {
  return new UserError(
    `Fitting a sparse last layer diverged in epoch ${
      epoch + 1
    }: it is not finite. Lower its step ` +
      `size, now ${stepSize}.`,
  );
}
