import { UserError } from "../files/mod.ts";
import { normaliseRows, type Random, row, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import { isFiniteLayer, type LastLayer } from "../models/mod.ts";
import { scalar } from "./_graph_parts.ts";
import { epochWindows, evenParts } from "./_minibatches.ts";
import type { Objective } from "./_objective.ts";
import type { RowWindow } from "./_rows.ts";
import type { Sessions } from "./_sessions.ts";
import { buildLoss, buildSteps, type StepTerms } from "./_step_graph.ts";

/** Steps of a run of the runtime, at most: enough that its inputs and outputs cost little. */
const stepsPerRun = 16;

/** Something to minimise. */
export interface DescentTask {
  /** For the error of one that diverges. */
  readonly name: string;
  readonly objective: Objective;
}

/** What descent runs on. */
export interface DescendOptions {
  readonly features: RowWindow;
  /** What the VL model sees, of unit length; only objectives with a teacher look at it. */
  readonly views: RowWindow | undefined;
  readonly sessions: Sessions;
  /** Gives the order of the images. */
  readonly random: Random;
  readonly signal: AbortSignal | undefined;
  /** Of the features in memory at once; see `epochWindows`. */
  readonly windowNumbers?: number | undefined;
  /** Called after each pass over the images by one task. */
  readonly onPass: () => void;
}

/** The images of a problem. */
export interface DescentData {
  /** The class of each, [images]. */
  readonly labels: Int32Array;
  readonly lastLayer: LastLayer;
}

/** Where a task ended. */
export interface Descended extends LastLayer {
  readonly lossBefore: number;
  readonly lossAfter: number;
}

/**
 * Minimises objectives by stochastic gradient descent with momentum, by PyTorch's rule. They see the
 * same minibatches in the same order, so they agree in epochs and batch size; a run of the runtime
 * serves one of them, so none depends on the others.
 *
 * @throws {UserError} when a layer is no longer finite.
 */
export async function descend(
  tasks: readonly DescentTask[],
  { data, ...options }: DescendOptions & { readonly data: DescentData },
): Promise<Descended[]> {
  const { epochs } = tasks[0]!.objective.settings;
  const states = tasks.map(({ objective }) => startState(objective, data.lastLayer));
  const passes = { data, states, ...options };
  const before = await lossPass(tasks, passes);
  requireFinite(before.map(Number.isFinite), { tasks, when: "at its start" });
  for (let epoch = 0; epoch < epochs; epoch++) {
    await trainingPass(tasks, { ...passes, random: options.random.split(epoch) });
    requireFinite(states.map(isFiniteLayer), { tasks, when: `in epoch ${epoch + 1} of ${epochs}` });
  }
  const after = await lossPass(tasks, passes);
  return states.map(({ weight, bias }, i) => ({
    weight,
    bias,
    lossBefore: before[i]!,
    lossAfter: after[i]!,
  }));
}

interface State {
  weight: Tensor;
  weightVelocity: Tensor;
  bias: Tensor;
  biasVelocity: Tensor;
}

function startState({ settings: { start } }: Objective, { weight, bias }: LastLayer): State {
  const [weightVelocity, biasVelocity] = [zeros(weight.shape), zeros(bias.shape)];
  return start === "zero"
    ? { weight: weightVelocity, bias: biasVelocity, weightVelocity, biasVelocity }
    : { weight, bias, weightVelocity, biasVelocity };
}

interface PassOptions extends Omit<DescendOptions, "random"> {
  readonly data: DescentData;
  readonly states: readonly State[];
}

async function trainingPass(
  tasks: readonly DescentTask[],
  { random, ...options }: PassOptions & { readonly random: Random },
): Promise<void> {
  const { states, sessions } = options;
  const fixed = tasks.map(({ objective }) => fixedFeeds(objective));
  for await (const run of runs(tasks, { random, ...options })) {
    for (const [i, { objective }] of tasks.entries()) {
      const terms = termsOf(objective, run);
      const session = await sessions.get("steps", { terms, build: buildSteps });
      const weights = batchWeights(objective, run, (images) => 1 / images);
      const after = await session.run(
        { ...states[i]!, ...fixed[i]!, ...run.feeds, ...weights },
        ["weightAfter", "weightVelocityAfter", "biasAfter", "biasVelocityAfter"],
      );
      Object.assign(states[i]!, {
        weight: after.weightAfter,
        weightVelocity: after.weightVelocityAfter,
        bias: after.biasAfter,
        biasVelocity: after.biasVelocityAfter,
      });
    }
  }
  tasks.forEach(options.onPass);
}

async function lossPass(tasks: readonly DescentTask[], options: PassOptions): Promise<number[]> {
  const { states, sessions, data: { labels: { length: images } } } = options;
  const fixed = tasks.map(({ objective }) => fixedFeeds(objective));
  const losses = tasks.map(() => ({ images: 0, layer: 0 }));
  for await (const run of runs(tasks, { random: undefined, ...options })) {
    for (const [i, { objective }] of tasks.entries()) {
      const terms = termsOf(objective, run);
      const session = await sessions.get("loss", { terms, build: buildLoss });
      const weights = batchWeights(objective, run, () => 1);
      const { weight, bias } = states[i]!;
      const { imagesLoss, layerLoss } = await session.run(
        { weight, bias, ...fixed[i]!, ...run.feeds, ...weights },
        ["imagesLoss", "layerLoss"],
      );
      losses[i]!.images += imagesLoss.data[0]!;
      losses[i]!.layer = layerLoss.data[0]!;
    }
  }
  tasks.forEach(options.onPass);
  return losses.map((loss) => loss.images / images + loss.layer);
}

/** Some minibatches, with what all tasks are fed of them. */
interface Run {
  readonly batches: readonly Int32Array[];
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly classes: number;
}

/** A pass over the images, in random order or in their own, as runs of the runtime. */
async function* runs(
  tasks: readonly DescentTask[],
  options: PassOptions & { readonly random: Random | undefined },
): AsyncGenerator<Run> {
  const { data: { labels, lastLayer }, features, views, random, signal, windowNumbers } = options;
  const { batchSize } = tasks[0]!.objective.settings;
  let [featureBuffer, viewBuffer]: [Buffer, Buffer] = [new Float32Array(), new Float32Array()];
  const sizes = { images: labels.length, width: features.width, batchSize, windowNumbers };
  for (const window of epochWindows(sizes, random)) {
    await features.load(window.blocks);
    await views?.load(window.blocks);
    for (const batches of evenParts(window.batches, stepsPerRun)) {
      signal?.throwIfAborted();
      const rows = batches.reduce((sum, { length }) => sum + length, 0);
      featureBuffer = atLeast(featureBuffer, rows * features.width);
      viewBuffer = atLeast(viewBuffer, rows * (views?.width ?? 0));
      const feeds: Record<string, Tensor> = {};
      let start = 0;
      for (const [step, batch] of batches.entries()) {
        const gathered = (window: RowWindow, buffer: Float32Array) => {
          const into = buffer.subarray(start * window.width, (start + batch.length) * window.width);
          window.gather(batch, into);
          return tensor([batch.length, window.width], into);
        };
        feeds[`features${step}`] = gathered(features, featureBuffer);
        if (views) feeds[`views${step}`] = gathered(views, viewBuffer);
        const ofBatch = Float32Array.from(batch, (image) => labels[image]!);
        feeds[`labels${step}`] = tensor([batch.length], ofBatch);
        start += batch.length;
      }
      yield { batches, feeds, classes: lastLayer.bias.data.length };
    }
  }
}

type Buffer = Float32Array<ArrayBuffer>;

function atLeast(buffer: Buffer, size: number): Buffer {
  return buffer.length < size ? new Float32Array(size) : buffer;
}

/** The images' weights times `factor` of the number of images in their batch. */
function batchWeights(
  { weights }: Objective,
  { batches }: Run,
  factor: (images: number) => number,
): Record<string, Tensor> {
  return Object.fromEntries(batches.map((batch, step) => {
    const scale = factor(batch.length);
    const values = Float32Array.from(batch, (image) => (weights?.[image] ?? 1) * scale);
    return [`weights${step}`, tensor([batch.length, 1], values)];
  }));
}

function termsOf({ teacher, pull, penalty, l1 }: Objective, { batches, classes }: Run): StepTerms {
  return {
    steps: batches.length,
    classes,
    teacher: teacher !== undefined,
    pull: pull !== undefined,
    penalty: penalty !== undefined,
    l1: l1 !== undefined,
  };
}

/** What is the same in every run. */
function fixedFeeds({ settings, teacher, pull, penalty, l1 }: Objective): Record<string, Tensor> {
  const { learningRate, momentum, weightDecay } = settings;
  const feeds: Record<string, Tensor> = {
    learningRate: scalar(learningRate),
    momentum: scalar(momentum),
    weightDecay: scalar(weightDecay),
  };
  if (teacher) {
    const texts = normaliseRows(teacher.view.texts);
    const scale = teacher.logitScale / teacher.temperature;
    feeds.texts = tensor(texts.shape, texts.data.map((value) => value * scale));
    feeds.temperature = scalar(teacher.temperature);
    feeds.teacherShare = scalar(teacher.share);
  }
  if (pull) {
    const cavs = normaliseRows(pull.directions);
    const there = rowsWithLength(cavs);
    feeds.cavs = cavs;
    feeds.pullFactor = scalar(there === 0 ? 0 : pull.coefficient / there);
  }
  if (penalty) {
    const artefacts = normaliseRows(penalty.directions);
    feeds.artefacts = atLeastTwoRows(artefacts);
    feeds.penaltyFactor = scalar(penalty.coefficient / rowsWithLength(artefacts));
  }
  if (l1 !== undefined) feeds.l1 = scalar(l1);
  return feeds;
}

/** How many rows are not zero. */
export function rowsWithLength(matrix: Tensor): number {
  let count = 0;
  for (let i = 0; i < matrix.shape[0]!; i++) {
    if (row(matrix, i).some((value) => value !== 0)) count++;
  }
  return count;
}

/** A product with one column would add up in an order that depends on where a row lies. */
function atLeastTwoRows(matrix: Tensor): Tensor {
  const [rows = 0, width = 0] = matrix.shape;
  if (rows > 1) return matrix;
  const padded = zeros([2, width]);
  padded.data.set(matrix.data);
  return padded;
}

function requireFinite(
  finite: readonly boolean[],
  { tasks, when }: { readonly tasks: readonly DescentTask[]; readonly when: string },
): void {
  const lost = tasks[finite.indexOf(false)];
  if (lost === undefined) return;
  const { learningRate } = lost.objective.settings;
  throw new UserError(
    `Retraining a last layer by "${lost.name}" diverged ${when}: its numbers are not finite. Lower ` +
      `its learning rate, now ${learningRate}, or check the scale of the features.`,
  );
}
