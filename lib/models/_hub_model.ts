import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { z } from "zod";
import { type HubModelConfig, loadConfig } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";

/** Where and on what a model of transformers.js runs. */
export interface HubModelOptions {
  readonly device: "cpu" | "webgpu" | "cuda";
  /** The folder with the fetched hub models, one folder per hub name. */
  readonly hubFolder: string;
  /** Threads of one run; onnxruntime's own choice when absent. */
  readonly threads?: number;
}

/** A model folder whose files are all there. */
export interface HubModel {
  readonly folder: string;
  /** SHA-256 over the lines that `sha256sum` prints for the files used, sorted by path. */
  readonly hash: string;
}

/** The card in a model's folder, as far as loading needs it: what each file must hash to. */
const cardSchema = z.looseObject({
  sha256: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)),
});

/**
 * Finds a model's folder, checks that the files are there and hashes them; where a card.json lies
 * beside them, each must have the hash that it states. Nothing is ever downloaded here: `data fetch`
 * does that beforehand.
 *
 * @throws {UserError} naming the first missing or wrong file.
 */
export async function findHubModel(
  config: HubModelConfig,
  { files, hubFolder }: { readonly files: readonly string[]; readonly hubFolder: string },
): Promise<HubModel> {
  const folder = resolve("hub" in config ? join(hubFolder, config.hub) : config.folder);
  const card = await readCard(join(folder, "card.json"));
  const lines: string[] = [];
  for (const file of files.toSorted()) {
    const digest = await sha256Of(join(folder, file)).catch((cause) => {
      if (!(cause instanceof Deno.errors.NotFound)) throw cause;
      throw new UserError(missing(config, { folder, file }), { cause });
    });
    const expected = card?.sha256[file] ?? digest;
    if (digest !== expected) {
      throw new UserError(
        `Opening the model ${config.name}: ${join(folder, file)} has SHA-256 ${digest}, ` +
          `card.json beside it says ${expected}; the file is damaged or another one, get it again.`,
      );
    }
    lines.push(`${digest}  ${file}\n`);
  }
  return { folder, hash: createHash("sha256").update(lines.join("")).digest("hex") };
}

/**
 * transformers.js, imported when a model is opened: it takes longer to load than most commands run.
 * Its settings, which it keeps in global variables, never change.
 */
export async function importTransformers() {
  // onnxruntime-web, which comes with it, resolves URLs against the origin of `location`; in a
  // Worker that is opaque, and the import would fail.
  if (globalThis.location?.origin === "null") Reflect.deleteProperty(globalThis, "location");
  const transformers = await import("@huggingface/transformers");
  transformers.env.allowLocalModels = true;
  transformers.env.allowRemoteModels = false;
  transformers.env.useFSCache = false;
  return transformers;
}

/** What every from_pretrained call gets: whole files of a folder, float32, one device. */
export function loadOptions({ device, threads }: HubModelOptions) {
  return {
    local_files_only: true,
    device,
    dtype: "fp32",
    session_options: threads === undefined ? {} : { intraOpNumThreads: threads },
  } as const;
}

/** A folder of the user's own has no card; its hash still enters every key. */
async function readCard(path: string): Promise<z.output<typeof cardSchema> | undefined> {
  const exists = await Deno.stat(path).then(() => true, () => false);
  return exists ? await loadConfig(path, cardSchema) : undefined;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  for await (const chunk of file.readable) hash.update(chunk);
  return hash.digest("hex");
}

function missing(
  config: HubModelConfig,
  { folder, file }: { readonly folder: string; readonly file: string },
): string {
  const mend = "hub" in config
    ? `Get it with "deno task data fetch ${config.name}".`
    : "Correct the folder in the model's config or put the file there.";
  return `Opening the model ${config.name}: ${join(folder, file)} does not exist. ${mend}`;
}
