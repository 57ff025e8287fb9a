import { deepEqual, ok } from "node:assert/strict";
import { join } from "node:path";
import { loadConfig, plain, type WorldConfig, worldSchema } from "../../lib/config/mod.ts";
import { readCifar100, readCub200, readImageNet } from "../../lib/datasets/mod.ts";
import { type ImageSet, type LabelledImages, preprocessBatch } from "../../lib/images/mod.ts";
import { loadWeights, openBackbone } from "../../lib/models/mod.ts";
import { row } from "../../lib/tensor/mod.ts";
import { writeWorld } from "../../lib/world/mod.ts";
import { sizedBackbone } from "../models/_parity.ts";
import { backbones } from "./_backbones.ts";

/** What tools/fixtures/zoo_predictions.py writes of a dataset. */
interface Predictions {
  /** Every how manieth image of the reported split is taken. */
  readonly step: number;
  readonly labels: readonly number[];
  /** The classes that PyTorch predicts, by backbone. */
  readonly predicted: Readonly<Record<string, readonly number[]>>;
}

type Dataset = typeof backbones[string];

const fixture: Readonly<Record<Dataset, Predictions>> = JSON.parse(
  await Deno.readTextFile(new URL("../fixtures/zoo/predictions.json", import.meta.url)),
);

const readers: Readonly<Record<Dataset, (root: string) => Promise<LabelledImages>>> = {
  imagenet: (root) => readImageNet(root, "val"),
  cub200: (root) => readCub200(root, "test"),
  cifar100: (root) => readCifar100(root, "test"),
};

for (const [dataset, read] of Object.entries(readers) as [Dataset, typeof readers[Dataset]][]) {
  Deno.test(`the backbones of the world's ${dataset} predict the classes that PyTorch does`, async () => {
    const root = await Deno.makeTempDir({ prefix: "zoo-" });
    try {
      await writeWorld(root, await withoutTraining(), { datasets: [dataset] });
      const { images, labels } = await read(join(root, dataset));
      const { step, predicted, labels: expectedLabels } = fixture[dataset];
      const indices = Array.from(expectedLabels, (_, i) => i * step);
      deepEqual(indices.map((index) => labels[index]), expectedLabels);
      const names = Object.keys(backbones).filter((name) => backbones[name] === dataset);
      deepEqual(Object.keys(predicted).toSorted(), names.toSorted());
      for (const name of names) {
        const classes = await predict(name, { images, indices });
        const others = classes.filter((found, i) => found !== predicted[name]![i]).length;
        // A tie may fall the other way, as the same numbers are added in another order.
        ok(others <= 1, `${name} predicts another class for ${others} of ${classes.length} images`);
      }
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });
}

/** The default world with one training image a class. */
async function withoutTraining(): Promise<WorldConfig> {
  const world = plain(await loadConfig("configs/datasets/world.json", worldSchema));
  const trainPerClass = 1;
  return {
    ...world,
    imagenet: { ...world.imagenet, trainPerClass },
    cub200: { ...world.cub200, trainPerClass },
    cifar100: { ...world.cifar100, trainPerClass },
  };
}

async function predict(
  name: string,
  { images, indices }: { readonly images: ImageSet; readonly indices: readonly number[] },
): Promise<number[]> {
  const config = await sizedBackbone(name, "world");
  const { tensors: weights } = await loadWeights(`zoo/${name}.safetensors`);
  const backbone = await openBackbone(config, { weights, outputs: ["logits"] });
  const decoded = await Promise.all(indices.map(async (index) => {
    const id = images.ids[index]!;
    return { id, image: await images.decode(await images.read(index), id) };
  }));
  const pixels = preprocessBatch(decoded, config.preprocess);
  const { logits } = await backbone.run(pixels, indices.length, ["logits"]);
  await backbone.close();
  return indices.map((_, i) => {
    const own = row(logits, i);
    return own.indexOf(Math.max(...own));
  });
}
