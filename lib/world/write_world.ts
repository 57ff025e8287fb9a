import { join } from "node:path";
import type { WorldConfig } from "../config/mod.ts";
import { writeBroden } from "./broden.ts";
import { cifarClasses, writeCifar100 } from "./cifar100.ts";
import { worldClasses } from "./classes.ts";
import { worldConcepts, worldPairs } from "./concepts.ts";
import { cubSpecies, writeCub200 } from "./cub200.ts";
import { writeImageNet } from "./imagenet.ts";
import { objectInWords } from "./_words.ts";
import { type Progress, writeUnder } from "./_write.ts";

/** The datasets that the world can be written as. */
export const worldDatasets = ["broden", "imagenet", "cub200", "cifar100"] as const;
export type WorldDataset = typeof worldDatasets[number];

const writers = {
  broden: writeBroden,
  imagenet: writeImageNet,
  cub200: writeCub200,
  cifar100: writeCifar100,
};
const counts = {
  broden: ({ broden: { imagesPerConcept, mixedImages } }: WorldConfig) =>
    worldConcepts().length * imagesPerConcept + mixedImages,
  imagenet: ({ imagenet: { trainPerClass, valPerClass } }: WorldConfig) =>
    worldClasses().length * (trainPerClass + valPerClass),
  cub200: ({ cub200: { trainPerClass, testPerClass } }: WorldConfig) =>
    cubSpecies().length * (trainPerClass + testPerClass),
  cifar100: ({ cifar100: { trainPerClass, testPerClass } }: WorldConfig) =>
    cifarClasses().length * (trainPerClass + testPerClass),
};

/**
 * What the classes of a dataset of the world are, in the words of its concepts, by id: "red striped
 * ball with wings and eyes". The names of CUB's species have others, which no CLIP of the world knows.
 *
 * @returns undefined for a dataset without classes.
 */
export function worldClassWords(dataset: WorldDataset): ReadonlyMap<string, string> | undefined {
  const classes = {
    broden: undefined,
    imagenet: worldClasses,
    cub200: cubSpecies,
    cifar100: cifarClasses,
  }[
    dataset
  ]?.();
  return classes && new Map(classes.map(({ id, factors }) => [id, objectInWords(factors)]));
}

/** How many images a dataset of the world has. */
export function worldImages(config: WorldConfig, dataset: WorldDataset): number {
  return counts[dataset](config);
}

/**
 * Writes the world in the formats of the real datasets, one folder each under `root`, which is made
 * where it is missing, and pairs.csv: the concepts that define each class. The same config gives the
 * same bytes. Each dataset also gets a factors.csv with the truth about every image.
 */
export async function writeWorld(
  root: string,
  config: WorldConfig,
  { datasets, onProgress }: { datasets: readonly WorldDataset[]; onProgress?: Progress },
): Promise<void> {
  const total = datasets.reduce((sum, dataset) => sum + counts[dataset](config), 0);
  let done = 0;
  const onDone = () => onProgress?.(++done, total);
  for (const dataset of datasets) {
    await writers[dataset](join(root, dataset), { config, onDone });
  }
  const pairs = worldPairs(worldClasses()).map((pair) => `${pair.concept},${pair.class}`);
  await writeUnder(root, { path: "pairs.csv", bytes: ["concept,class", ...pairs] });
}
