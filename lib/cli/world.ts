import { buildCommand, buildRouteMap } from "@stricli/core";
import { join, resolve } from "node:path";
import { loadConfig, parseConfig, plain, type WorldConfig, worldSchema } from "../config/mod.ts";
import { readFolder, UserError } from "../files/mod.ts";
import { type WorldDataset, worldDatasets, writeWorld } from "../world/mod.ts";
import type { CliContext } from "./context.ts";
import { parseSeed } from "./plan_flags.ts";

interface ExportFlags {
  readonly datasets: readonly WorldDataset[];
  readonly seed?: number;
  readonly trainPerClass?: number;
}

/** `world export DIR`: the controlled world as a folder of one's own. */
const exportCommand = buildCommand<ExportFlags, [string], CliContext>({
  docs: {
    brief: "Write the controlled world in the formats of the real datasets",
    fullDescription: [
      "Examples:",
      "  deno task world export /tmp/world",
      "  deno task world export /tmp/world --datasets imagenet --train-per-class 800",
    ].join("\n"),
  },
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [{
        brief: "An empty or new folder",
        parse: (input: string) => input,
        placeholder: "dir",
      }],
    },
    flags: {
      datasets: {
        kind: "enum",
        values: worldDatasets,
        variadic: ",",
        brief: "Which datasets, as a,b",
        default: [...worldDatasets],
      },
      seed: { kind: "parsed", parse: parseSeed, brief: "Another seed", optional: true },
      trainPerClass: {
        kind: "parsed",
        parse: parseSeed,
        brief: "Training images per class of ImageNet",
        optional: true,
      },
    },
  },
  func: async function (flags, directory) {
    const { datasets } = flags;
    const chosen = await chosenWorld(this.root, flags);
    const target = resolve(this.root, directory);
    requireEmpty(target);
    let written = 0;
    await writeWorld(target, chosen, {
      datasets,
      onProgress: (done) => {
        this.interrupt.throwIfAborted();
        written = done;
      },
    });
    this.process.stdout.write(`Wrote ${written} images of ${datasets.join(", ")} to ${target}.\n`);
  },
});

/** `world`: what concerns the controlled world. */
export const worldRoutes = buildRouteMap<"export", CliContext>({
  routes: { export: exportCommand },
  docs: { brief: "The controlled world" },
});

/** The world's config with what the flags replace, which must be in the same bounds. */
async function chosenWorld(
  root: string,
  { seed, trainPerClass }: Pick<ExportFlags, "seed" | "trainPerClass">,
): Promise<WorldConfig> {
  const path = join(root, "configs", "datasets", "world.json");
  const spec = await loadConfig(path, worldSchema);
  const { imagenet } = spec;
  const changed = {
    ...spec,
    ...(seed !== undefined && { seed: { ...spec.seed, value: seed } }),
    ...(trainPerClass !== undefined && {
      imagenet: { ...imagenet, trainPerClass: { ...imagenet.trainPerClass, value: trainPerClass } },
    }),
  };
  return plain(parseConfig(`${path} with the flags`, worldSchema, { spec: changed }));
}

function requireEmpty(directory: string): void {
  try {
    const [entry] = readFolder(directory);
    if (entry === undefined) return;
    throw new UserError(
      `${directory} is not empty (it has ${entry.name}). Name a new or empty folder.`,
    );
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
