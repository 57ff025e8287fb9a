/**
 * The memory that the features and gradients of the backbones take at their released sizes, against
 * what a plan says beforehand: `deno run -A bench/model_memory.ts [name...]`.
 *
 * Each is measured in a process of its own, at formula weights and noise: the high-water mark less
 * what the process held before it opened the model.
 */
import { join } from "node:path";
import { storeImageFeatures } from "../lib/activations/mod.ts";
import { builtBackboneSchema, loadConfig, withSizes } from "../lib/config/mod.ts";
import type { ImageSet } from "../lib/images/mod.ts";
import { backboneParameters, featureCost } from "../lib/models/mod.ts";
import { openEncoder, openGradients } from "../lib/pipeline/models.ts";
import { featuresEstimate, gradientsEstimate } from "../lib/pipeline/_estimates.ts";
import { openStore } from "../lib/store/mod.ts";
import { formulaWeights } from "../tests/models/_formula.ts";
import { writePth } from "../tests/models/_write_pth.ts";
import { memoryOf } from "./_measured.ts";

/** As the paper profile has it. */
const batch = 16;
/** More than a block of rows, so that two blocks' pixels are held. */
const images = 80;

const repository = join(import.meta.dirname!, "..");

async function sized(name: string) {
  const path = join(repository, "configs", "backbones", `${name}.json`);
  return withSizes(await loadConfig(path, builtBackboneSchema), "released");
}

if (Deno.args[0] === "child") await measure(Deno.args[1]!, Deno.args[2]!, Deno.args[3]!);
else await measureAll(Deno.args);

async function measureAll(names: readonly string[]): Promise<void> {
  const all = [...Deno.readDirSync(join(repository, "configs", "backbones"))]
    .map(({ name }) => name.replace(/\.json$/, "")).sort();
  for (const name of names.length > 0 ? names : all) {
    const config = await sized(name);
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeFile(
        join(folder, `${name}.pth`),
        writePth(formulaWeights(backboneParameters(config))),
      );
      const outputs = [
        "features",
        ...config.intermediate ? [config.intermediate.value.output] : [],
      ];
      for (const output of outputs) {
        for (const what of output === "features" ? ["features"] : ["features", "gradients"]) {
          const cost = featureCost(config, output);
          const sizes = { count: images, batch };
          const { memory } = what === "features"
            ? featuresEstimate(cost, sizes)
            : gradientsEstimate(cost, sizes);
          const args = [
            "run",
            "-A",
            "--no-check",
            import.meta.filename!,
            "child",
            name,
            output,
            what,
          ];
          const { stdout } = await new Deno.Command(Deno.execPath(), {
            args: [...args, folder],
            stderr: "inherit",
          }).output();
          const bytes = Number(new TextDecoder().decode(stdout));
          const [measured, said] = [bytes, memory!].map((some) => (some / 1e9).toFixed(2));
          console.log(`${name} ${what} at ${output}: ${measured} GB, ${said} GB estimated`);
        }
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
}

async function measure(name: string, output: string, what: string): Promise<void> {
  const folder = Deno.args[4]!;
  const config = await sized(name);
  const before = await memoryOf("VmRSS");
  const how = { type: "built", config, file: join(folder, `${name}.pth`) } as const;
  const choice = { device: "cpu", threads: 1, output } as const;
  const model = what === "features"
    ? await openEncoder(how, { ...choice, remark: () => {} })
    : await openGradients(how, choice);
  const { imageSize, preprocess } = model as Awaited<ReturnType<typeof openEncoder>>;
  const encode = "gradientsOf" in model
    ? (pixels: Float32Array, count: number) =>
      model.gradientsOf(pixels, Array.from({ length: count }, (_, i) => i))
    : model.encode;
  await storeImageFeatures(noise(config.architecture.imageSize), {
    indices: Array.from({ length: images }, (_, i) => i),
    batch,
    encoder: { imageSize, preprocess, encode, close: () => Promise.resolve() },
    store: openStore(join(folder, "store")),
    ref: { stage: "features", key: "0".repeat(64) },
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  console.log(await memoryOf("VmHWM") - before);
  Deno.exit();
}

/** Images of a size in which nothing is to be seen. */
function noise(side: number): ImageSet {
  const data = Uint8Array.from({ length: 3 * side ** 2 }, (_, i) => (i * 2654435761) >>> 24);
  return {
    name: "noise",
    ids: Array.from({ length: images }, (_, i) => `${i}`),
    read: () => Promise.resolve(new Uint8Array()),
    decode: () => Promise.resolve({ width: side, height: side, data }),
  };
}
