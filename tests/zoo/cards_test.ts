import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readSafetensors } from "../../lib/tensor/mod.ts";
import { cifarClasses, cubSpecies, worldClasses } from "../../lib/world/mod.ts";
import { backbones } from "./_backbones.ts";

const zoo = new URL("../../zoo/", import.meta.url);
const configs = new URL("../../configs/backbones/", import.meta.url);

const clips = [
  "clip_rn50x16",
  "clip_vit_l_14",
  "clip_vit_b_16",
  "clip_vit_b_32",
  "eva_clip_l_14",
  "laclip_l_14",
  "clipa_l_14",
];

/** Bytes that all models of the zoo may have. */
const limit = 40_000_000;

/** How many classes each dataset of the world has. */
const classes: Readonly<Record<string, number>> = {
  imagenet: worldClasses().length,
  cub200: cubSpecies().length,
  cifar100: cifarClasses().length,
};

async function readJson(url: URL) {
  return JSON.parse(await Deno.readTextFile(url));
}

async function sha256(url: URL): Promise<string> {
  return createHash("sha256").update(await Deno.readFile(url)).digest("hex");
}

for (const [name, dataset] of Object.entries(backbones)) {
  Deno.test(`the card of ${name} tells the truth about its file`, async () => {
    const card = await readJson(new URL(`${name}.json`, zoo));
    const bytes = await Deno.readFile(new URL(`${name}.safetensors`, zoo));
    assert.equal(card.sha256, createHash("sha256").update(bytes).digest("hex"));
    assert.equal(card.bytes, bytes.length);

    const { tensors } = readSafetensors(bytes);
    const running = /running_(mean|var)$/;
    let parameters = 0;
    for (const [tensor, { data }] of tensors) {
      assert.ok(data.every(Number.isFinite), `${tensor} has a number that is not finite`);
      if (!running.test(tensor)) parameters += data.length;
    }
    assert.equal(card.parameters, parameters);
    assert.equal(card.data.world, dataset);
    assert.equal(card.architecture.classes, classes[dataset]);
  });

  Deno.test(`the card of ${name} describes the architecture of its config`, async () => {
    const card = await readJson(new URL(`${name}.json`, zoo));
    const config = await readJson(new URL(`${name}.json`, configs));
    const resolved = { family: config.family, ...config.architecture, ...config.world };
    assert.deepEqual(card.architecture, resolved);
  });
}

for (const name of clips) {
  const folder = new URL(`world-${name.replaceAll("_", "-")}/`, zoo);

  Deno.test(`the card of world_${name} names the hash of each of its files`, async () => {
    const card = await readJson(new URL("card.json", folder));
    let bytes = 0;
    for (const [file, hash] of Object.entries(card.sha256)) {
      assert.equal(await sha256(new URL(file, folder)), hash, file);
      bytes += (await Deno.stat(new URL(file, folder))).size;
    }
    assert.equal(Object.keys(card.sha256).length, 6);
    assert.equal(card.bytes, bytes);
  });

  Deno.test(`the card of world_${name} gives the mean of its average precisions`, async () => {
    const { conceptRetrieval } = await readJson(new URL("card.json", folder));
    const precisions: number[] = Object.values(conceptRetrieval.averagePrecision);
    assert.equal(precisions.length, 49);
    const mean = precisions.reduce((sum, precision) => sum + precision, 0) / precisions.length;
    assert.ok(Math.abs(conceptRetrieval.meanAveragePrecision.prompt - mean) < 1e-4);
  });

  Deno.test(`the config of world_${name} opens the folder that the card names`, async () => {
    const config = await readJson(new URL(`../../configs/vl/world_${name}.json`, import.meta.url));
    const card = await readJson(new URL("card.json", folder));
    assert.deepEqual(config, { name: `world_${name}`, folder: `zoo/${card.name}` });
  });
}

Deno.test("no two CLIPs of the world stand for the same model", async () => {
  const cards = clips.map((name) =>
    readJson(new URL(`world-${name.replaceAll("_", "-")}/card.json`, zoo))
  );
  const models = (await Promise.all(cards)).map(({ standsFor }) => standsFor.model);
  assert.equal(new Set(models).size, clips.length);
});

Deno.test("the zoo is no larger than 40 MB", async () => {
  let total = 0;
  for await (const { name, isDirectory } of Deno.readDir(zoo)) {
    if (isDirectory) total += (await readJson(new URL(`${name}/card.json`, zoo))).bytes;
    else total += (await Deno.stat(new URL(name, zoo))).size;
  }
  assert.ok(total <= limit, `the zoo has ${total} bytes`);
});
