import { join, resolve } from "node:path";
import { z } from "zod";
import { type HubModelConfig, loadConfig } from "../config/mod.ts";
import { hashFile, treeHash, UserError } from "../files/mod.ts";
import { runtimeVersion } from "../onnx/mod.ts";

/** Where and on what a model of transformers.js runs. */
export interface HubModelOptions {
  readonly device: "cpu" | "webgpu" | "cuda";
  /** The folder with the fetched hub models, one folder per hub name. */
  readonly hubFolder: string;
  /** Threads of one run; onnxruntime's own choice when absent. */
  readonly threads?: number;
}

/** The card in a model's folder, as far as loading needs it: what each file must hash to. */
const cardSchema = z.looseObject({
  sha256: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)),
});

/** Which files a model consists of, and where fetched models are. */
export interface HubFiles extends Pick<HubModelOptions, "hubFolder"> {
  readonly files: readonly string[];
}

/**
 * A model's folder, whose files are all there. Nothing is ever downloaded here: `data fetch` does
 * that beforehand.
 *
 * @throws {UserError} naming the first missing file.
 */
export async function findHubModel(
  config: HubModelConfig,
  { files, hubFolder }: HubFiles,
): Promise<string> {
  const folder = resolve("hub" in config ? join(hubFolder, config.hub) : config.folder);
  for (const file of files.toSorted()) {
    const isThere = await Deno.stat(join(folder, file)).then(({ isFile }) => isFile, () => false);
    if (!isThere) throw new UserError(missing(config, { folder, file }));
  }
  return folder;
}

/** How the files of a model are hashed. */
export interface HashHubOptions extends Pick<HubModelOptions, "hubFolder"> {
  /** The SHA-256 of a file in hexadecimal; it is read when left out. */
  readonly digestOf?: (path: string) => Promise<string | undefined>;
}

/**
 * What identifies a model: SHA-256 over the lines that `sha256sum` prints for its files, sorted by
 * path. Where a card.json lies beside them, each must have the hash that it states.
 *
 * @throws {UserError} naming the first missing or wrong file.
 */
export async function hubModelHash(
  config: HubModelConfig,
  { digestOf = async (path) => (await hashFile(path)).sha256, ...options }:
    & HubFiles
    & HashHubOptions,
): Promise<string> {
  const folder = await findHubModel(config, options);
  const card = await readCard(join(folder, "card.json"));
  const hashed: { path: string; sha256: string }[] = [];
  for (const path of options.files.toSorted()) {
    const sha256 = (await digestOf(join(folder, path)))!;
    const expected = card?.sha256[path] ?? sha256;
    if (sha256 !== expected) {
      throw new UserError(
        `Opening the model ${config.name}: ${join(folder, path)} has SHA-256 ${sha256}, ` +
          `card.json beside it says ${expected}; the file is damaged or another one, get it again.`,
      );
    }
    hashed.push({ path, sha256 });
  }
  return treeHash(hashed);
}

/** What makes tokens of texts and runs their encoders, with the versions of both. */
export const textRuntimeVersion = `transformers.js ${transformersVersion()}, ${runtimeVersion}`;

/** Read from its package, since importing it takes longer than most commands. */
function transformersVersion(): string {
  const entry = import.meta.resolve("@huggingface/transformers");
  return JSON.parse(Deno.readTextFileSync(new URL("../package.json", entry))).version;
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
  // What it and onnxruntime log as an error they throw as well.
  transformers.env.logLevel = transformers.LogLevel.NONE;
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

/** Turns what a library found wrong with a model's files, or with the device, into the user's mistake. */
export function refuseModel(
  { name }: HubModelConfig,
  { folder, device }: { readonly folder: string; readonly device: string },
): (cause: unknown) => never {
  return (cause) => {
    if (cause instanceof UserError) throw cause;
    const reason = (cause instanceof Error ? cause.message : String(cause)).split("\n")[0];
    const mend = device === "cpu"
      ? "Get its files again."
      : `Use the device "cpu", or install what "${device}" needs.`;
    throw new UserError(
      `Opening the model ${name} in ${folder} on the device "${device}" failed: ${reason} ${mend}`,
      { cause },
    );
  };
}

/** A folder of the user's own has no card; its hash still enters every key. */
async function readCard(path: string): Promise<z.output<typeof cardSchema> | undefined> {
  const exists = await Deno.stat(path).then(() => true, () => false);
  return exists ? await loadConfig(path, cardSchema) : undefined;
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
