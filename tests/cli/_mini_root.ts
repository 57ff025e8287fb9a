import { cp } from "node:fs/promises";
import { join } from "node:path";
import { builtBackboneSchema, loadConfig, withSizes } from "../../lib/config/mod.ts";
import { backboneParameters } from "../../lib/models/mod.ts";
import { sha256 } from "../../lib/files/mod.ts";
import { createRandom, tensor, writeSafetensors } from "../../lib/tensor/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

/** The folder of the repository. */
export const repository = join(import.meta.dirname!, "..", "..");

/**
 * A folder like the repository, in which a table takes seconds: a small world, random weights for
 * ResNet-18, a tiny random CLIP, two seeds, 60 probes, and 20 of the training
 * images of classes.
 */
export async function miniRoot(): Promise<string> {
  const root = await temporaryFolder("mini-root-");
  for (const folder of ["configs", "experiments"]) {
    await cp(join(repository, folder), join(root, folder), { recursive: true });
  }
  await edit(join(root, "configs", "profiles", "world.json"), (profile) => {
    for (const name of Object.keys(profile.vlModels)) profile.vlModels[name] = "tiny_clip";
  });
  await cp(
    join(repository, "tests", "fixtures", "models", "tiny-clip"),
    join(root, "zoo", "tiny-clip"),
    { recursive: true },
  );
  const tiny = { name: "tiny_clip", title: "Tiny CLIP", folder: "zoo/tiny-clip" };
  await Deno.writeTextFile(join(root, "configs", "vl", "tiny_clip.json"), JSON.stringify(tiny));
  await edit(join(root, "configs", "datasets", "world.json"), (world) => {
    world.broden.imagesPerConcept.value = 24;
    world.broden.mixedImages.value = 10;
    world.imagenet.trainPerClass.value = 1;
    world.imagenet.valPerClass.value = 2;
    for (const { trainPerClass, testPerClass } of [world.cub200, world.cifar100]) {
      trainPerClass.value = testPerClass.value = 1;
    }
  });
  await edit(join(root, "experiments", "base", "concept_quality.json"), (base) => {
    base.factors.backbone = ["resnet18"];
    base.factors.seed.value = [0, 1];
    base.settings.probes.count.value = 60;
    base.settings.contexts.value = 2;
    // What controls add has tests of its own.
    base.settings.controls.value = [];
    base.statistics.bootstrapResamples.value = 200;
    base.statistics.permutations.value = 200;
  });
  await edit(join(root, "experiments", "base", "model_correction.json"), ({ settings }) => {
    settings.probes.count.value = 20;
  });
  await writeRandomWeights(root, "resnet18");
  return root;
}

/** What a command of the repository's command line printed and how it ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the command line in `root`. */
export function startCli(
  root: string,
  args: readonly string[],
  { env = {} }: { readonly env?: Readonly<Record<string, string>> } = {},
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", join(repository, "lib", "cli", "main.ts"), ...args],
    cwd: root,
    env,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs the command line in `root` to its end. */
export async function runCli(
  root: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Outcome> {
  const { code, stdout, stderr } = await startCli(root, args, options).output();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

/** Changes a JSON file in place. */
// deno-lint-ignore no-explicit-any
export async function edit(path: string, change: (json: any) => void): Promise<void> {
  const json = JSON.parse(await Deno.readTextFile(path));
  change(json);
  await Deno.writeTextFile(path, JSON.stringify(json));
}

/** The files of a result by name, with manifest.json stripped of its timings. */
export async function resultBytes(root: string, id: string): Promise<Record<string, string>> {
  const folder = join(root, "results", "world", id);
  const files: Record<string, string> = {};
  for await (const { name } of Deno.readDir(folder)) {
    const bytes = await Deno.readFile(join(folder, name));
    if (name === "manifest.json") {
      const { timings: _, ...manifest } = JSON.parse(decode(bytes));
      files[name] = JSON.stringify(manifest);
    } else files[name] = sha256(bytes);
  }
  return files;
}

/** Writes weights of a backbone at the world's sizes, drawn at random by its name, and their card. */
export async function writeRandomWeights(root: string, name: string): Promise<void> {
  const path = join(root, "configs", "backbones", `${name}.json`);
  const sized = withSizes(await loadConfig(path, builtBackboneSchema), "world");
  const random = createRandom(name);
  const tensors = [...backboneParameters(sized)].map(([key, shape]) => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    const isScale = shape.length === 1 && /(weight|running_var)$/.test(key);
    const spread = shape.length === 1 ? 0 : Math.sqrt(2 * shape[0]! / size);
    const values = Float32Array.from(
      { length: size },
      () => isScale ? 1 : random.normal() * spread,
    );
    return [key, tensor(shape, values)] as const;
  });
  const bytes = writeSafetensors(new Map(tensors), {}, { dtype: "F16" });
  await Deno.writeFile(join(root, "zoo", `${name}.safetensors`), bytes);
  const card = JSON.stringify({ sha256: sha256(bytes) });
  await Deno.writeTextFile(join(root, "zoo", `${name}.json`), card);
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
