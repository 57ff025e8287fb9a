import { join } from "node:path";
import type { WorldConfig } from "../../lib/config/mod.ts";
import { fileHash, walkFiles } from "../../lib/files/mod.ts";
import { type WorldDataset, worldDatasets, writeWorld } from "../../lib/world/mod.ts";

/** A world of a few images of everything. */
export const smallWorld: WorldConfig = {
  seed: 7,
  imageSize: 32,
  broden: { maskSize: 16, imagesPerConcept: 2, mixedImages: 6 },
  imagenet: { trainPerClass: 2, valPerClass: 1, sceneCorrelation: 0.5 },
  cub200: { trainPerClass: 2, testPerClass: 1, sceneCorrelation: 0.5 },
  cifar100: { trainPerClass: 2, testPerClass: 1, sceneCorrelation: 0.5 },
};

/** Writes datasets (all four unless named) into a temporary folder and hands it to the test. */
export async function withWorld(
  { config, datasets = worldDatasets }: {
    config: WorldConfig;
    datasets?: readonly WorldDataset[];
  },
  test: (root: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await writeWorld(root, config, { datasets });
    await test(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** The SHA-256 of every file below a folder, by path. */
export async function hashFiles(root: string): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for await (const path of walkFiles(root)) hashes.set(path, await fileHash(join(root, path)));
  return hashes;
}
