import { type FeatureRows, rowsPerBlock } from "../activations/mod.ts";
import { UserError } from "../files/mod.ts";
import { range, type Tensor, tensor } from "../tensor/mod.ts";
import type { ConceptLayerOptions, ConceptLayerProblem } from "./_concept_layer.ts";
import { evenParts } from "./_minibatches.ts";

/** Rows that are asked for at once. */
export const rowsAtOnce = 1024;

/** Images in memory. */
export interface Sample {
  readonly features: Tensor;
  readonly views: Tensor;
  /** Targets of all concepts, where they are few enough to be kept. */
  targets?: Tensor;
}

/** Images to train on and to judge by. */
export interface Samples {
  readonly heldOut: Sample;
  /** The images of a step. */
  training(step: number): Promise<Sample>;
  /** Frees their memory, a gigabyte of ImageNet's, before the collector would. */
  release(): void;
}

/**
 * A share of the images, `batchSize` at most, is held out. The others are all seen in every step
 * where they are not more than `batchSize`; of more, each step sees random blocks of rows.
 */
export async function drawSamples(
  problem: ConceptLayerProblem,
  { settings: { heldOut: share, batchSize }, random }: ConceptLayerOptions,
): Promise<Samples> {
  const images = problem.features.shape[0];
  const count = Math.min(batchSize, Math.max(2, Math.round(share * images)));
  const isHeldOut = new Uint8Array(images);
  for (const image of random.split("held out").shuffle(range(0, images)).slice(0, count)) {
    isHeldOut[image] = 1;
  }
  const [others, kept] = [range(0, images), range(0, images)]
    .map((all, i) => all.filter((image) => isHeldOut[image] === i)) as [number[], number[]];
  if (others.length < 2) {
    throw new UserError(
      `Training a concept layer on ${images} images, ${count} of which are held out; give more images.`,
    );
  }
  const blocksAtOnce = Math.ceil(batchSize / rowsPerBlock);
  const draw = (step: number) =>
    random.split("blocks").split(step)
      .shuffle(range(0, Math.ceil(images / rowsPerBlock)))
      .slice(0, blocksAtOnce)
      .sort((a, b) => a - b)
      .flatMap((block) => range(block * rowsPerBlock, Math.min(images, (block + 1) * rowsPerBlock)))
      .filter((image) => !isHeldOut[image]);
  const isSmall = others.length <= batchSize;
  const [judges, trained] = [kept.length, isSmall ? others.length : blocksAtOnce * rowsPerBlock]
    .map((rows) => buffersFor(rows, problem)) as [Buffers, Buffers];
  const all = isSmall ? await readSample(others, { ...problem, buffers: trained }) : undefined;
  return {
    heldOut: await readSample(kept, { ...problem, buffers: judges }),
    training: async (step) => all ?? await readSample(draw(step), { ...problem, buffers: trained }),
    release() {
      for (const { features, views } of [judges, trained]) {
        features.buffer.transfer(0);
        views.buffer.transfer(0);
      }
    },
  };
}

/** Memory for the rows of a sample. */
interface Buffers {
  readonly features: Float32Array<ArrayBuffer>;
  readonly views: Float32Array<ArrayBuffer>;
}

function buffersFor(rows: number, { features, views }: ConceptLayerProblem): Buffers {
  return {
    features: new Float32Array(rows * features.shape[1]),
    views: new Float32Array(rows * views.shape[1]),
  };
}

async function readSample(
  rows: readonly number[],
  { features, views, buffers }: ConceptLayerProblem & { readonly buffers: Buffers },
): Promise<Sample> {
  const read = async (matrix: FeatureRows, into: Float32Array) => {
    const width = matrix.shape[1];
    let at = 0;
    for (const part of evenParts(rows, rowsAtOnce)) {
      into.set((await matrix.take(part)).data, at);
      at += part.length * width;
    }
    return tensor([rows.length, width], into.subarray(0, at));
  };
  return {
    features: await read(features, buffers.features),
    views: await read(views, buffers.views),
  };
}
