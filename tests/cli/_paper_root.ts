import { cp } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { builtBackboneSchema, loadConfig, withSizes } from "../../lib/config/mod.ts";
import { backboneParameters, loadWeights, openBackbone } from "../../lib/models/mod.ts";
import { createRandom, type Tensor } from "../../lib/tensor/mod.ts";
import { formulaWeights } from "../models/_formula.ts";
import { writePth } from "../models/_write_pth.ts";
import { edit, repository } from "./_mini_root.ts";
import { temporaryFolder } from "../_temporary.ts";

/**
 * A folder like the repository with what the profile `paper` reads for its tables of CUB-200-2011 and
 * CIFAR-100: the datasets in their own formats with all their classes and an image or two of each, a
 * tiny CLIP where the hub's is, and these backbones at their released sizes as .pth files of
 * pytorchcv's names. Two seeds, few probes and epochs.
 */
export async function paperRoot(backbones: readonly string[]): Promise<string> {
  const root = await temporaryFolder("paper-root-");
  for (const folder of ["configs", "experiments"]) {
    await cp(join(repository, folder), join(root, folder), { recursive: true });
  }
  await edit(join(root, "experiments", "base", "concept_quality.json"), (base) => {
    base.factors.seed.value = [0, 1];
    base.statistics.bootstrapResamples.value = 100;
    base.statistics.permutations.value = 100;
  });
  await edit(join(root, "experiments", "base", "model_correction.json"), (base) => {
    base.settings.probes.count.value = 50;
  });
  for (const { name } of Deno.readDirSync(join(root, "configs", "corrections"))) {
    await edit(join(root, "configs", "corrections", name), ({ hyperparameters }) => {
      if (hyperparameters?.epochs) hyperparameters.epochs.value = 2;
    });
  }
  const hub = join(root, "data", "hub", "Xenova", "clip-vit-large-patch14");
  const clip = join(repository, "tests", "fixtures", "models", "tiny-clip");
  await cp(clip, hub, { recursive: true });
  const used = (suffix: string) => backbones.some((name) => name.endsWith(suffix));
  if (used("_cub")) await writeCub200(join(root, "data", "CUB_200_2011"));
  if (used("_cifar100")) await writeCifar100(join(root, "data", "cifar-100-binary"));
  for (const name of backbones) await writeWeights(root, name);
  return root;
}

/** Writes the weights of a backbone at its released size: formula weights, changed as one likes. */
export async function writeWeights(
  root: string,
  name: string,
  change: (weights: ReadonlyMap<string, Tensor>) => ReadonlyMap<string, Tensor> = (same) => same,
): Promise<void> {
  const path = join(root, "configs", "backbones", `${name}.json`);
  const sized = withSizes(await loadConfig(path, builtBackboneSchema), "released");
  const weights = change(formulaWeights(backboneParameters(sized)));
  await write(join(root, "data", "weights", `${name}.pth`), writePth(weights));
}

/**
 * An output of a root's backbone for the first image of each class of its CIFAR-100, from the bytes
 * of the files alone: [100, ...].
 */
export async function cifarOutput(
  root: string,
  name: string,
  { split, output }: { readonly split: "train" | "test"; readonly output: string },
): Promise<Tensor> {
  const path = join(root, "configs", "backbones", `${name}.json`);
  const config = withSizes(await loadConfig(path, builtBackboneSchema), "released");
  const { tensors: weights } = await loadWeights(join(root, "data", "weights", `${name}.pth`));
  const records = await Deno.readFile(join(root, "data", "cifar-100-binary", `${split}.bin`));
  const { mean, std } = config.preprocess;
  const pixels = Float32Array.from({ length: 100 * 3 * 1024 }, (_, i) => {
    const [image, within] = [Math.floor(i / 3072), i % 3072];
    const channel = Math.floor(within / 1024);
    return (records[image * 3074 + 2 + within]! / 255 - mean[channel]!) / std[channel]!;
  });
  const backbone = await openBackbone(config, { weights, outputs: [output] });
  const computed = (await backbone.run(pixels, 100, [output]))[output]!;
  await backbone.close();
  return computed;
}

/** CUB-200-2011: 200 classes, of each an image to train on and one to test on. */
async function writeCub200(folder: string): Promise<void> {
  const classes = Array.from({ length: 200 }, (_, i) => {
    const number = i + 1;
    return { number, name: `${String(number).padStart(3, "0")}.Bird_of_Kind_${number}` };
  });
  const images = classes.flatMap(({ number, name }) =>
    [1, 2].map((index) => ({
      id: 2 * number + index - 2,
      class: number,
      path: `${name}/Bird_${number}_000${index}.jpg`,
      isTraining: index === 1,
    }))
  );
  const lines = (rows: readonly string[]) => new TextEncoder().encode(`${rows.join("\n")}\n`);
  const files = {
    "classes.txt": lines(classes.map(({ number, name }) => `${number} ${name}`)),
    "images.txt": lines(images.map(({ id, path }) => `${id} ${path}`)),
    "image_class_labels.txt": lines(images.map((image) => `${image.id} ${image.class}`)),
    "train_test_split.txt": lines(
      images.map(({ id, isTraining }) => `${id} ${isTraining ? 1 : 0}`),
    ),
  };
  for (const [name, bytes] of Object.entries(files)) await write(join(folder, name), bytes);
  for (const { id, class: number, path } of images) {
    const [width, height] = [240, 180];
    const pixels = colouredNoise(`bird ${id}`, { kind: number, size: width * height });
    const raw = { width, height, channels: 3 as const };
    const bytes = await sharp(pixels, { raw }).jpeg({ quality: 90 }).toBuffer();
    await write(join(folder, "images", path), bytes);
  }
}

/** CIFAR-100, binary version: 100 fine labels, of each two records to train on and one to test on. */
async function writeCifar100(folder: string): Promise<void> {
  const plane = 32 * 32;
  const records = (split: string, perClass: number) => {
    const all = new Uint8Array(100 * perClass * (2 + 3 * plane));
    for (let i = 0; i < 100 * perClass; i++) {
      const fine = i % 100;
      const pixels = colouredNoise(`${split} ${i}`, { kind: fine, size: plane });
      const at = i * (2 + 3 * plane);
      all.set([Math.floor(fine / 5), fine], at);
      for (let j = 0; j < 3 * plane; j++) {
        all[at + 2 + j] = pixels[(j % plane) * 3 + Math.floor(j / plane)]!;
      }
    }
    return all;
  };
  const names = (kind: string, count: number) =>
    new TextEncoder().encode(Array.from({ length: count }, (_, i) => `${kind}_${i}\n`).join(""));
  await write(join(folder, "train.bin"), records("train", 2));
  await write(join(folder, "test.bin"), records("test", 1));
  await write(join(folder, "fine_label_names.txt"), names("thing", 100));
  await write(join(folder, "coarse_label_names.txt"), names("group", 20));
}

/** Pixels around a colour that is the kind's own: red, green and blue of one after another. */
function colouredNoise(
  name: string,
  { kind, size }: { readonly kind: number; readonly size: number },
): Uint8Array {
  const random = createRandom(name);
  const colour = [0, 1, 2].map((channel) => 32 + 24 * (Math.floor(kind / 8 ** channel) % 8));
  return Uint8Array.from({ length: 3 * size }, (_, i) => colour[i % 3]! + random.integer(32));
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeFile(path, bytes);
}
