import assert from "node:assert/strict";
import { join } from "node:path";
import { loadConfig, plain, worldSchema } from "../../lib/config/mod.ts";
import { readCifar100, readCub200, readImageNet, readScenes } from "../../lib/datasets/mod.ts";
import { UserError } from "../../lib/files/mod.ts";
import { cifarImages, imageNetImages, writeWorld } from "../../lib/world/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

const full = plain(await loadConfig("configs/datasets/world.json", worldSchema));
const world = {
  ...full,
  imagenet: { ...full.imagenet, trainPerClass: 2, valPerClass: 1 },
  cub200: { ...full.cub200, trainPerClass: 2, testPerClass: 1 },
  // More than ten records, whose ids have leading zeros.
  cifar100: { ...full.cifar100, trainPerClass: 2, testPerClass: 1 },
};
const root = await temporaryFolder("scenes-");
await writeWorld(root, world, { datasets: ["imagenet", "cub200", "cifar100"] });

Deno.test("readScenes() finds the scene of each image of ImageNet's splits, in the order of its ids", async () => {
  for (const split of ["train", "val"] as const) {
    const folder = join(root, "imagenet");
    const { images: { ids } } = await readImageNet(folder, split);
    const truth = new Map(
      imageNetImages(world, split).map(({ path, factors }) => [path, factors.scene]),
    );
    const scenes = await readScenes(folder, { format: "imagenet", split, ids });
    assert.deepEqual(scenes, ids.map((id) => truth.get(`${split}/${id}`)));
  }
});

Deno.test("readScenes() finds the scenes of CIFAR-100's records and of CUB's images", async () => {
  const cifar = await readCifar100(join(root, "cifar100"), "train");
  const scenes = await readScenes(join(root, "cifar100"), {
    format: "cifar100",
    split: "train",
    ids: cifar.images.ids,
  });
  assert.deepEqual(scenes, cifarImages(world, "train").map(({ factors }) => factors.scene));
  const { images: { ids } } = await readCub200(join(root, "cub200"), "test");
  const ofCub = await readScenes(join(root, "cub200"), { format: "cub200", split: "test", ids });
  assert.equal(ofCub.length, 20);
});

Deno.test("readScenes() says which file or image is missing", async () => {
  const options = { format: "imagenet", split: "val", ids: ["n1/no.JPEG"] } as const;
  await assert.rejects(
    readScenes(join(root, "imagenet"), options),
    (error) =>
      error instanceof UserError && /no scene of the image n1\/no\.JPEG/.test(error.message),
  );
  await assert.rejects(
    readScenes(root, options),
    (error) => error instanceof UserError && /no factors\.csv/.test(error.message),
  );
});
