import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import {
  builtBackboneSchema,
  loadConfig,
  plain,
  withSizes,
  worldSchema,
} from "../../lib/config/mod.ts";
import { readBroden, scanBrodenLabels } from "../../lib/datasets/mod.ts";
import {
  loadWeights,
  openBackbone,
  openSentenceEncoder,
  openVlModel,
} from "../../lib/models/mod.ts";
import { walkFiles } from "../../lib/files/mod.ts";
import { experimentIds } from "../../lib/pipeline/mod.ts";
import { readSources } from "../../lib/sources/mod.ts";
import { writeWorld } from "../../lib/world/mod.ts";
import { edit, repository, runCli } from "./_mini_root.ts";
import { twoImages, withPublishers } from "./_publishers.ts";

const models = join(repository, "tests", "fixtures", "models");

function assertClose(actual: ArrayLike<number>, expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  expected.forEach((value, i) => assert.ok(Math.abs(actual[i]! - value) < 1e-5, `${i}`));
}

const referenceOf = async (model: string) =>
  JSON.parse(await Deno.readTextFile(join(models, model, "reference.json")));

async function readsBroden(root: string): Promise<void> {
  const broden = await readBroden(join(root, "data", "broden1_224"));
  assert.deepEqual(broden.images.ids, ["d/a.jpg", "d/b.jpg"]);
  const [a, b] = await scanBrodenLabels(broden);
  assert.deepEqual(a!.map(({ number }) => number), [6]);
  assert.deepEqual(b!.map(({ number }) => number), [1, 3, 300, 5]);
  const image = await broden.images.decode(await broden.images.read(0), "d/a.jpg");
  assert.deepEqual([image.width, image.height], [64, 64]);
}

async function readsResNet18(root: string): Promise<void> {
  const path = join(root, "configs", "backbones", "resnet18.json");
  const config = await loadConfig(path, builtBackboneSchema);
  const { sha256Prefix } = config.weights;
  const file = join(root, "data", "weights", "resnet18.pth");
  const { tensors } = await loadWeights(file, { sha256Prefix: sha256Prefix! });
  const sized = withSizes(config, "released");
  const backbone = await openBackbone(sized, { weights: tensors, outputs: ["features"] });
  const pixels = Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => Math.sin(i * 0.1));
  const { features } = await backbone.run(pixels, 1, ["features"]);
  await backbone.close();
  assertClose(features.data, (await referenceOf("tiny-resnet18")).features);
}

async function readsHubModels(root: string): Promise<void> {
  const options = { device: "cpu", hubFolder: join(root, "data", "hub"), threads: 1 } as const;
  const clip = await openVlModel(
    { name: "clip_vit_b_32", hub: "Xenova/clip-vit-base-patch32" },
    options,
  );
  const { texts, text_embeds } = await referenceOf("tiny-clip");
  assertClose((await clip.embedTexts(texts)).data, text_embeds.flat());
  await clip.close();
  const encoder = await openSentenceEncoder(
    { name: "all_mpnet_base_v2", hub: "Xenova/all-mpnet-base-v2" },
    options,
  );
  const { texts: names, embeddings } = await referenceOf("tiny-sentence-encoder");
  assertClose((await encoder.embed(names)).data, embeddings.flat());
  await encoder.close();
}

Deno.test("data fetch --profile quick brings all that the profile reads, ready to be read", async () => {
  await withPublishers(await twoImages(), async (root, server) => {
    const before = await runCli(root, ["data", "list", "--profile", "quick"]);
    assert.match(before.stdout, /4 in all, 2\.2 GB; 4 of them to get, 2\.2 GB\.\n$/);
    const fetched = await runCli(root, ["data", "fetch", "--profile", "quick"]);
    assert.equal(fetched.code, 0, fetched.stderr);
    const lines = fetched.stdout.trim().split("\n");
    assert.deepEqual(lines.slice(0, 4).sort(), [
      "all_mpnet_base_v2: fetched",
      "broden: fetched",
      "clip_vit_b_32: fetched",
      "resnet18: fetched",
    ]);
    assert.match(lines[4]!, /On the 63305 images at most, .* about \d+\.?\d* \w+ on this machine;/);
    await readsBroden(root);
    await readsResNet18(root);
    await readsHubModels(root);
    const requests = server.asked.length;
    const again = await runCli(root, ["data", "fetch", "--profile", "quick", "--offline"]);
    assert.equal(again.stdout.match(/: present$/gm)?.length, 4);
    assert.equal(server.asked.length, requests);
    const checked = await runCli(root, ["data", "check"]);
    assert.deepEqual([checked.code, checked.stdout.match(/: right$/gm)?.length], [0, 4]);
  });
});

Deno.test("reproduce --profile paper asks for ImageNet's validation images alone", async () => {
  await withPublishers(await twoImages(), async (root) => {
    const { code, stderr } = await runCli(root, ["reproduce", "table1", "--profile", "paper"]);
    assert.equal(code, 2);
    const asked = [...stderr.matchAll(/^ {2}(imagenet\w*)/gm)].map(([, name]) => name);
    assert.deepEqual(asked, ["imagenet_val", "imagenet_devkit"]);
  });
});

Deno.test("data fetch says what it cannot choose", async () => {
  const cases: readonly [readonly string[], RegExp][] = [
    [[], /Nothing was named/],
    [["--profile", "quik"], /no profile "quik"\. Did you mean "quick"\?/],
    [["--profile", "world"], /world needs nothing that is fetched/],
    [["--for", "table99"], /no experiment "table99"/],
    [["--for", "table1", "--profile", "quick"], /one of the three/],
    [["resnet18", "--for", "table1"], /one of the three/],
    [["imagenet"], /no source "imagenet"/],
  ];
  for (const [args, sentence] of cases) {
    const { code, stderr } = await runCli(repository, ["data", "fetch", "--offline", ...args]);
    assert.deepEqual([code, sentence.test(stderr)], [2, true], stderr);
  }
});

Deno.test("reproduce all --profile paper --dry-run tells what each experiment takes, and leaves out what none can make there", async () => {
  const root = await Deno.makeTempDir();
  try {
    for (const folder of ["configs", "experiments"]) {
      await cp(join(repository, folder), join(root, folder), { recursive: true });
    }
    const dry = async (word: string) =>
      await runCli(root, ["reproduce", word, "--profile", "paper", "--dry-run"]);
    const { code, stdout, stderr } = await dry("all");
    assert.equal(code, 0, stderr);
    const left = [...stderr.matchAll(/^Left out (\w+): .*\.$/gm)]
      .map(([, id]) => id!);
    assert.ok(left.includes("spurious") && left.includes("worst_group"));
    assert.ok(!left.some((id) => /^(table|figure)/.test(id)));
    for (const id of experimentIds(root).filter((id) => !left.includes(id))) {
      const line = new RegExp(
        `^${id}: \\d+ stages, [1-9]\\d* images, [\\d.]+ TFLOP, [\\d.]+ [GM]B to store, ` +
          `[\\d.]+ [GM]B of memory for the largest, about .+, as `,
        "m",
      );
      assert.match(stdout, line);
    }
    assert.match(stdout, /^ {2}resnet10_cub \(20\.1 MB\): deno task data fetch resnet10_cub$/m);
    // The measures of scenes alone are left out of an experiment that has others.
    assert.doesNotMatch(stdout, /other_scene_accuracy|worst_group_accuracy/);
    assert.match(stdout, /^to run +largest_possible_change of lg_cav_asr of vgg13 /m);
    for (
      const [id, sentence] of [
        [
          "spurious",
          /^The profile paper has imagenet as a folder of images.*Take the profile world/,
        ],
        [
          "worst_group",
          /^The profile paper has nothing by which to measure other_scene_accuracy or/,
        ],
      ] as const
    ) {
      const { code, stderr } = await dry(id);
      assert.deepEqual([code, sentence.test(stderr)], [2, true], stderr);
      assert.equal(stderr.trim().split("\n").length, 1, stderr);
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("data list --for knows the tables' needs as configs/sources.json does, and any experiment's", async () => {
  const root = await Deno.makeTempDir();
  try {
    for (const folder of ["configs", "experiments"]) {
      await cp(join(repository, folder), join(root, folder), { recursive: true });
    }
    const sources = await readSources(join(root, "configs"));
    const needed = async (id: string) => {
      const { code, stdout, stderr } = await runCli(root, ["data", "list", "--for", id, "--json"]);
      assert.equal(code, 0, stderr);
      return (JSON.parse(stdout) as { readonly name: string }[]).map(({ name }) => name).sort();
    };
    for (const id of ["table4", "table14", "figure5"]) {
      const named = sources.filter(({ neededBy }) => neededBy.includes(id));
      assert.deepEqual(await needed(id), named.map(({ name }) => name).sort(), id);
    }
    // What is there is needed all the same.
    await Deno.mkdir(join(root, "data", "CUB_200_2011", "images"), { recursive: true });
    await edit(join(root, "experiments", "corrected_examples.json"), (json) => json.id = "mine");
    const path = join(root, "experiments", "corrected_examples.json");
    await Deno.rename(path, join(root, "experiments", "mine.json"));
    assert.deepEqual(await needed("mine"), ["clip_vit_l_14", "cub200", "resnet14_cub"]);
    const { code, stderr } = await runCli(root, ["data", "list", "--for", "spurious"]);
    assert.deepEqual([code, /Take the profile world/.test(stderr)], [2, true], stderr);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("data fetch tells how to bring ImageNet's validation images", async () => {
  const { code, stderr } = await runCli(repository, ["data", "fetch", "--offline", "imagenet_val"]);
  assert.equal(code, 2);
  assert.match(stderr, /imagenet_val cannot be fetched by a command\. Register at image-net\.org/);
});

Deno.test("reproduce --profile quick runs on what data fetch brought", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await withPublishers(await worldBroden(folder), async (root) => {
      await edit(join(root, "experiments", "base", "concept_quality.json"), (base) => {
        base.settings.probes.count.value = 60;
        base.statistics.bootstrapResamples.value = 200;
        base.statistics.permutations.value = 200;
      });
      const methods = ["--methods", "original_cav,lg_cav", "--seeds", "0"];
      const table = ["table2", "--profile", "quick", "--backbones", "resnet18", ...methods];
      const before = await runCli(root, ["reproduce", ...table]);
      assert.equal(before.code, 2);
      for (const name of ["broden", "resnet18", "clip_vit_b_32", "all_mpnet_base_v2"]) {
        assert.match(before.stderr, new RegExp(`data fetch .*${name}`));
      }
      assert.equal((await runCli(root, ["data", "fetch", "--profile", "quick"])).code, 0);
      const { code, stderr } = await runCli(root, ["reproduce", ...table]);
      assert.equal(code, 0, stderr);
      const path = join(root, "results", "quick", "table2", "table.md");
      const markdown = await Deno.readTextFile(path);
      assert.match(markdown, /^# Table 2\..*\n\nProfile: quick\. Dataset: broden\./);
      // A cosine with the gradient of one of ImageNet's thousand classes, times 100.
      const [original, guided] = ["Original CAV", "LG-CAV"].map((method) =>
        Number(new RegExp(`\\| ${method} \\| \\**(-?[\\d.]+)`).exec(markdown)?.[1])
      );
      assert.ok(Math.abs(original!) < 100 && Math.abs(guided!) < 100, markdown);
      assert.notEqual(original, guided);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** The world's Broden with few images a concept, by their paths. */
async function worldBroden(folder: string): Promise<Record<string, Uint8Array>> {
  const path = join(repository, "configs", "datasets", "world.json");
  const world = plain(await loadConfig(path, worldSchema));
  const broden = { ...world.broden, imagesPerConcept: 20, mixedImages: 1 };
  await writeWorld(folder, { ...world, broden }, { datasets: ["broden"] });
  const files: Record<string, Uint8Array> = {};
  for await (const file of walkFiles(join(folder, "broden"))) {
    files[file] = await Deno.readFile(join(folder, "broden", file));
  }
  return files;
}
