import { type ImageTime, timeFirstImages } from "../activations/mod.ts";
import type { WorldConfig } from "../config/mod.ts";
import { createTemporaryFolder, type Temporary, UserError } from "../files/mod.ts";
import type { ImageSet } from "../images/mod.ts";
import { mean } from "../metrics/mod.ts";
import { createGraph, type Device, openSession } from "../onnx/mod.ts";
import type { Store } from "../store/mod.ts";
import { zeros } from "../tensor/mod.ts";
import { sampleWorld, type WorldDataset, worldImages, writeWorld } from "../world/mod.ts";
import { isStored, loadValue } from "./graph.ts";
import { type ModelHow, openEncoder } from "./models.ts";
import { modelOf, type Speeds } from "./preflight.ts";
import type { StageNode, TypedNode } from "./stage.ts";
import {
  type DatasetFiles,
  type FeaturesHow,
  type FeaturesInputs,
  featuresKind,
  openImages,
  worldKind,
} from "./stages/mod.ts";

type FeaturesNode = TypedNode<FeaturesInputs, FeaturesHow>;

/** What is measured with. */
interface MeasureOptions {
  /** The nodes of the plan by key. */
  readonly graph: ReadonlyMap<string, StageNode>;
  readonly store: Store;
  readonly device: Device;
  readonly threads: number;
  readonly signal: AbortSignal;
}

/** Measuring stops when it has taken this share of what the models that were measured will take. */
const worth = 0.01;

/**
 * Measures this machine by what some nodes will do: one matrix product, a sample of each dataset
 * that is rendered, and a batch of each model, those with most work first, until knowing more is not
 * worth the time. A model that cannot be opened is left out: its stage will say why.
 */
export async function measureSpeeds(
  nodes: readonly StageNode[],
  { graph, store, device, threads, signal }: MeasureOptions,
): Promise<Speeds> {
  const products = await productsPerSecond({ device, threads });
  await using samples = await renderSamples(nodes, store);
  const measured: ({ readonly node: FeaturesNode } & ImageTime)[] = [];
  const started = performance.now();
  let worthwhile = Infinity;
  for (const node of largestOfModels(nodes)) {
    if ((performance.now() - started) / 1000 > worthwhile) break;
    signal.throwIfAborted();
    const files = graph.get(node.needs["files"]!)!;
    const images = await firstImages(node, { files, store, samples });
    const time = await timeModel(node, { images, device, threads });
    if (time === undefined) continue;
    measured.push({ node, ...time });
    worthwhile = worth * measured.reduce(
      (sum, { node: { estimate }, reading, encoding }) =>
        sum + estimate!.images! * (reading + encoding),
      0,
    );
  }
  return {
    products,
    ...(samples.rendering.length > 0 && { rendering: mean(samples.rendering) }),
    ...(measured.length > 0 && { reading: mean(measured.map(({ reading }) => reading)) }),
    models: measured.map(({ node, encoding }) => ({
      name: node.how.model.config.name,
      model: modelOf(node),
      multiplyAdds: node.estimate!.multiplyAdds! / node.estimate!.images! / encoding,
    })),
  };
}

/** Of each model the node with most images, the models with most work first. */
function largestOfModels(nodes: readonly StageNode[]): FeaturesNode[] {
  const counted = nodes.filter(({ kind, estimate }) =>
    kind === featuresKind.name && estimate?.images && estimate.multiplyAdds
  );
  const work = (some: readonly StageNode[]) =>
    some.reduce((sum, { estimate }) => sum + estimate!.multiplyAdds!, 0);
  return [...Map.groupBy(counted, modelOf).values()]
    .sort((a, b) => work(b) - work(a))
    .map((some) =>
      some.toSorted((a, b) => b.estimate!.images! - a.estimate!.images!)[0]!
    ) as unknown as FeaturesNode[];
}

async function timeModel(
  { how: { model, batch }, inputs: { output } }: FeaturesNode,
  { images, ...choice }: Pick<MeasureOptions, "device" | "threads"> & { readonly images: ImageSet },
): Promise<ImageTime | undefined> {
  try {
    const encoder = await openEncoder(model as ModelHow, { ...choice, output, remark: () => {} });
    try {
      return await timeFirstImages(images, { batch, encoder });
    } finally {
      await encoder.close();
    }
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** The images of a node, a sample of those that will be rendered, or noise where they are missing. */
async function firstImages(
  { inputs: { of } }: FeaturesNode,
  { files, store, samples }: {
    readonly files: StageNode;
    readonly store: Store;
    readonly samples: Samples;
  },
): Promise<ImageSet> {
  const there = await isStored(files, store)
    ? await loadValue<DatasetFiles>(files, store)
    : samples.folders.get(files.key);
  if (there === undefined) return noise;
  return await openImages(of, there).catch((error) => {
    if (error instanceof UserError) return noise;
    throw error;
  });
}

/** One image of the usual size of a photograph, in which nothing is to be seen. */
const noise: ImageSet = {
  name: "noise",
  ids: ["noise"],
  read: () => Promise.resolve(new Uint8Array()),
  decode: () => {
    const [width, height] = [500, 375];
    const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 2654435761) >>> 24);
    return Promise.resolve({ width, height, data });
  },
};

/** Samples of what will be rendered: a dataset may be so split by split. */
interface Samples extends AsyncDisposable {
  /** By the key of the stage that renders. */
  readonly folders: ReadonlyMap<string, DatasetFiles>;
  /** Seconds an image of each. */
  readonly rendering: readonly number[];
}

async function renderSamples(nodes: readonly StageNode[], store: Store): Promise<Samples> {
  const rendered = nodes.filter(({ kind }) => kind === worldKind.name) as (
    & StageNode
    & {
      readonly inputs: { readonly dataset: WorldDataset };
      readonly how: { readonly world: WorldConfig };
    }
  )[];
  const folders = new Map<string, DatasetFiles>();
  const rendering: number[] = [];
  const temporaries: Temporary[] = [];
  for (const { key, inputs: { dataset }, how: { world } } of rendered) {
    const temporary = await createTemporaryFolder(store.root, { lock: "lock" });
    temporaries.push(temporary);
    const sample = sampleWorld(world);
    const started = performance.now();
    await writeWorld(temporary.path, sample, { datasets: [dataset] });
    rendering.push((performance.now() - started) / 1000 / worldImages(sample, dataset));
    folders.set(key, { folder: `${temporary.path}/${dataset}` });
  }
  return {
    folders,
    rendering,
    [Symbol.asyncDispose]: async () => {
      for (const temporary of temporaries) await temporary[Symbol.asyncDispose]();
    },
  };
}

/** Side of the matrices: large enough to fill the processor, small enough for a fraction of a second. */
const side = 1024;

/** The multiply-adds a second of a product of matrices, the best of three. */
export async function productsPerSecond(
  choice: { readonly device: Device; readonly threads?: number },
): Promise<number> {
  const graph = createGraph("product");
  const [a, b] = [graph.input("a", [side, side]), graph.input("b", [side, side])];
  graph.output(graph.node("ReduceMax", [graph.node("MatMul", [a, b])], { keepdims: 0 }), "y");
  const session = await openSession(graph.build(), choice);
  const matrix = zeros([side, side]);
  const seconds = async () => {
    const started = performance.now();
    await session.run({ a: matrix, b: matrix }, ["y"]);
    return (performance.now() - started) / 1000;
  };
  try {
    await seconds();
    return side ** 3 / Math.min(await seconds(), await seconds(), await seconds());
  } finally {
    await session.close();
  }
}
