/**
 * Writes the worlds that the zoo is trained on: DIR/backbones (the default world with more training
 * images) and DIR/clip (another seed, no correlation of class and scene).
 *
 *     deno run --allow-read --allow-write --allow-env --allow-ffi --allow-sys tools/zoo/export_worlds.ts DIR
 */
import { join } from "node:path";
import { loadConfig, plain, type WorldConfig, worldSchema } from "../../lib/config/mod.ts";
import { UserError } from "../../lib/files/mod.ts";
import { writeWorld } from "../../lib/world/mod.ts";

const [directory] = Deno.args;
if (directory === undefined) throw new UserError("Exporting the worlds of the zoo: name a folder.");
const path = new URL("../../configs/datasets/world.json", import.meta.url).pathname;
const world: WorldConfig = plain(await loadConfig(path, worldSchema));

const worlds: Readonly<Record<string, WorldConfig>> = {
  backbones: { ...world, imagenet: { ...world.imagenet, trainPerClass: 800 } },
  clip: {
    ...world,
    seed: world.seed + 1,
    broden: { ...world.broden, imagesPerConcept: 240, mixedImages: 6000 },
    imagenet: { trainPerClass: 120, valPerClass: 1, sceneCorrelation: 0 },
  },
};
for (const [name, config] of Object.entries(worlds)) {
  await writeWorld(join(directory, name), config, { datasets: ["broden", "imagenet"] });
}
