/**
 * Writes the worlds that the zoo is trained on: DIR/backbones (the default world with more training
 * images) and DIR/clip (another seed, no correlation of class and scene), or the one that is named. A
 * world that is there already is left as it is. With --smoke they hold a few images each.
 *
 *     deno run --allow-read --allow-write --allow-env --allow-ffi --allow-sys tools/zoo/export_worlds.ts \
 *         DIR [backbones] [clip] [--smoke]
 */
import { join } from "node:path";
import { loadConfig, plain, type WorldConfig, worldSchema } from "../../lib/config/mod.ts";
import { UserError } from "../../lib/files/mod.ts";
import { type WorldDataset, worldDatasets, writeWorld } from "../../lib/world/mod.ts";

const [directory, ...options] = Deno.args;
const smoke = options.includes("--smoke");
const named = options.filter((option) => option !== "--smoke");
const path = new URL("../../configs/datasets/world.json", import.meta.url).pathname;
const world: WorldConfig = plain(await loadConfig(path, worldSchema));

interface Export {
  readonly datasets: readonly WorldDataset[];
  readonly config: WorldConfig;
}
const worlds: Readonly<Record<string, Export>> = {
  backbones: {
    datasets: worldDatasets,
    config: {
      ...world,
      ...(smoke && { broden: { ...world.broden, imagesPerConcept: 2, mixedImages: 4 } }),
      imagenet: {
        ...world.imagenet,
        ...(smoke && { valPerClass: 2 }),
        trainPerClass: smoke ? 4 : 800,
      },
      cub200: {
        ...world.cub200,
        ...(smoke && { testPerClass: 2 }),
        trainPerClass: smoke ? 8 : 400,
      },
      cifar100: {
        ...world.cifar100,
        ...(smoke && { testPerClass: 2 }),
        trainPerClass: smoke ? 2 : 300,
      },
    },
  },
  clip: {
    datasets: ["broden", "imagenet"],
    config: {
      ...world,
      seed: world.seed + 1,
      broden: {
        ...world.broden,
        imagesPerConcept: smoke ? 2 : 240,
        mixedImages: smoke ? 4 : 6000,
      },
      imagenet: { trainPerClass: smoke ? 2 : 120, valPerClass: 1, sceneCorrelation: 0 },
    },
  },
};

/** Writes a world unless its folder holds it, which the config tells that is written last. */
async function exportWorld(root: string, { datasets, config }: Export): Promise<void> {
  const [marker, content] = [join(root, "world.json"), `${JSON.stringify(config, null, 2)}\n`];
  if (await Deno.readTextFile(marker).catch(() => "") === content) return;
  await Deno.remove(root, { recursive: true }).catch(() => {});
  await writeWorld(root, config, { datasets });
  await Deno.writeTextFile(marker, content);
}

if (directory === undefined || named.some((name) => !Object.hasOwn(worlds, name))) {
  throw new UserError(
    "Exporting the worlds of the zoo: name a folder, then backbones, clip, --smoke or nothing.",
  );
}
for (const name of named.length > 0 ? named : Object.keys(worlds)) {
  await exportWorld(join(directory, name), worlds[name]!);
}
