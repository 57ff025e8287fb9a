import { ok } from "node:assert/strict";
import { join } from "node:path";
import { loadConfig, plain, type PreprocessSpec, worldSchema } from "../../lib/config/mod.ts";
import { readCifar100, readCub200, readImageNet } from "../../lib/datasets/mod.ts";
import { type LabelledImages, preprocessBatch } from "../../lib/images/mod.ts";
import { top1Accuracy } from "../../lib/metrics/mod.ts";
import { loadWeights, openBackbone } from "../../lib/models/mod.ts";
import { type WorldDataset, writeWorld } from "../../lib/world/mod.ts";
import { sizedBackbone } from "../models/_parity.ts";
import { backbones } from "./_backbones.ts";

/** Predictions that may differ: PyTorch adds the same numbers in another order. */
const allowance = 2;

const readers: Readonly<Record<string, (root: string) => Promise<LabelledImages>>> = {
  imagenet: (root) => readImageNet(root, "val"),
  cub200: (root) => readCub200(root, "test"),
  cifar100: (root) => readCifar100(root, "test"),
};

for (const [dataset, read] of Object.entries(readers)) {
  Deno.test(`each backbone has the top-1 of its card on the world's ${dataset}`, async () => {
    const root = await Deno.makeTempDir({ prefix: "zoo-" });
    try {
      await writeReportedSplit(root, dataset as WorldDataset);
      const labelled = await read(join(root, dataset));
      for (const name of Object.keys(backbones).filter((name) => backbones[name] === dataset)) {
        const card = JSON.parse(await Deno.readTextFile(`zoo/${name}.json`));
        const measured = await top1(name, labelled);
        const difference = Math.abs(measured - card.top1.val) / 100 * labelled.labels.length;
        ok(difference < allowance + 0.5, `${name}: ${measured}, the card says ${card.top1.val}`);
      }
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });
}

/** Writes the dataset with one training image a class. */
async function writeReportedSplit(root: string, dataset: WorldDataset): Promise<void> {
  const world = plain(await loadConfig("configs/datasets/world.json", worldSchema));
  const trainPerClass = 1;
  await writeWorld(root, {
    ...world,
    imagenet: { ...world.imagenet, trainPerClass },
    cub200: { ...world.cub200, trainPerClass },
    cifar100: { ...world.cifar100, trainPerClass },
  }, { datasets: [dataset] });
}

async function top1(name: string, { images, labels }: LabelledImages): Promise<number> {
  const config = await sizedBackbone(name, "world");
  const { tensors: weights } = await loadWeights(`zoo/${name}.safetensors`);
  const backbone = await openBackbone(config, { weights, outputs: ["logits"] });
  let correct = 0;
  const batch = 100;
  for (let first = 0; first < labels.length; first += batch) {
    const own = labels.subarray(first, first + batch);
    const pixels = await pixelsOf(images, { first, count: own.length, spec: config.preprocess });
    const { logits } = await backbone.run(pixels, own.length, ["logits"]);
    correct += top1Accuracy(logits, own) * own.length;
  }
  await backbone.close();
  return correct / labels.length;
}

async function pixelsOf(
  { ids, read, decode }: LabelledImages["images"],
  { first, count, spec }: {
    readonly first: number;
    readonly count: number;
    readonly spec: PreprocessSpec;
  },
): Promise<Float32Array> {
  const decoded = Array.from({ length: count }, async (_, i) => {
    const id = ids[first + i]!;
    return { id, image: await decode(await read(first + i), id) };
  });
  return preprocessBatch(await Promise.all(decoded), spec);
}
