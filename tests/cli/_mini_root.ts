import { join } from "node:path";
import { atScale, builtBackboneSchema, loadConfig } from "../../lib/config/mod.ts";
import { backboneParameters } from "../../lib/models/mod.ts";
import { sha256 } from "../../lib/files/mod.ts";
import { createRandom, tensor, writeSafetensors } from "../../lib/tensor/mod.ts";

/** The folder of the repository. */
export const repository = join(import.meta.dirname!, "..", "..");

/**
 * A folder like the repository, in which a table takes seconds: a small world, random weights for
 * ResNet-18, a tiny random CLIP, two seeds, 60 probes.
 */
export async function miniRoot(): Promise<string> {
  const root = await Deno.makeTempDir({ prefix: "mini-root-" });
  for (const folder of ["configs", "experiments"]) {
    await copyFolder(join(repository, folder), join(root, folder));
  }
  await copyFolder(
    join(repository, "tests", "fixtures", "models", "tiny-clip"),
    join(root, "zoo", "world-clip"),
  );
  await edit(join(root, "configs", "datasets", "world.json"), (world) => {
    world.broden.imagesPerConcept.value = 24;
    world.broden.mixedImages.value = 10;
    world.imagenet.trainPerClass.value = 1;
    world.imagenet.valPerClass.value = 2;
  });
  await edit(join(root, "experiments", "base", "concept_methods.json"), (base) => {
    base.backbones = ["resnet18"];
    base.probes.count.value = 60;
    base.seeds.value = [0, 1];
    base.statistics.bootstrapResamples.value = 200;
    base.statistics.permutations.value = 200;
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
export function startCli(root: string, args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", join(repository, "lib", "cli", "main.ts"), ...args],
    cwd: root,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs the command line in `root` to its end. */
export async function runCli(root: string, args: readonly string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await startCli(root, args).output();
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

async function writeRandomWeights(root: string, name: string): Promise<void> {
  const path = join(root, "configs", "backbones", `${name}.json`);
  const sized = atScale(await loadConfig(path, builtBackboneSchema), "world");
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

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(join(from, name), join(to, name));
    else await Deno.copyFile(join(from, name), join(to, name));
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
