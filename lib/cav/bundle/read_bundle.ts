import { join } from "node:path";
import { parseConfig } from "../../config/mod.ts";
import { hashFile, printable, UserError } from "../../files/mod.ts";
import { readSafetensors, type Tensor } from "../../tensor/mod.ts";
import { type Bundle, type BundleTensors, shapesOf, tensorNames } from "./bundle.ts";
import {
  type BundleConfig,
  bundleConfigSchema,
  bundleMetricsSchema,
  bundleVersion,
} from "./config.ts";

/** A bundle that was read, with the SHA-256 of its vectors. */
export interface ReadBundle extends Bundle {
  readonly sha256: string;
}

/** Larger files of JSON are no bundle's. */
const mostJson = 64 * 2 ** 20;

/**
 * Reads the bundle in a folder; only the four files that hold numbers are opened, by their fixed
 * names, and each is compared with the manifest.
 *
 * @throws {UserError} in one sentence, when the folder holds no bundle, or it is damaged, of another
 * version, or holds what no bundle has.
 */
export async function readBundle(folder: string): Promise<ReadBundle> {
  const refuse = (what: string, cause?: unknown): UserError =>
    new UserError(`${folder} is no bundle that can be used: ${what}. Train it again.`, { cause });
  await requireBundle(folder, refuse);
  const recorded = await recordedHashes(folder, refuse);
  for (const name of ["cavs.safetensors", "config.json", "metrics.json"]) {
    const { sha256: found } = await hashFile(join(folder, name)).catch((cause) => {
      throw refuse(`its ${name} is not there or cannot be read`, cause);
    });
    if (recorded[name] !== found) {
      throw refuse(
        `its ${name} has SHA-256 ${found}, and its manifest says ${printable(`${recorded[name]}`)}`,
      );
    }
  }
  const spec = await readJson(folder, { name: "config.json", refuse });
  const version = (spec as { readonly version?: unknown } | null)?.version;
  if (version !== bundleVersion) {
    throw refuse(`it has format ${printable(`${version}`)}, and ${bundleVersion} is read`);
  }
  const config = parseConfig(join(folder, "config.json"), bundleConfigSchema, { spec });
  const metrics = parseConfig(join(folder, "metrics.json"), bundleMetricsSchema, {
    spec: await readJson(folder, { name: "metrics.json", refuse }),
  });
  const tensors = await readTensors(folder, { config, refuse });
  return { config, metrics, tensors, sha256: recorded["cavs.safetensors"]! };
}

type Refuse = (what: string, cause?: unknown) => UserError;

async function requireBundle(folder: string, refuse: Refuse): Promise<void> {
  const found = await Deno.stat(folder).catch((cause) => {
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    throw refuse("there is no such folder", cause);
  });
  if (!found.isDirectory) throw refuse("it is no folder");
}

async function recordedHashes(
  folder: string,
  refuse: Refuse,
): Promise<Readonly<Record<string, unknown> & { "cavs.safetensors"?: string }>> {
  const manifest = await readJson(folder, { name: "manifest.json", refuse });
  const { files } = (manifest ?? {}) as { readonly files?: unknown };
  if (typeof files !== "object" || files === null) throw refuse("its manifest.json lists no files");
  return files as Record<string, unknown>;
}

async function readJson(
  folder: string,
  { name, refuse }: { readonly name: string; readonly refuse: Refuse },
): Promise<unknown> {
  const path = join(folder, name);
  const found = await Deno.stat(path).catch((cause) => {
    throw refuse(`its ${name} is not there`, cause);
  });
  if (!found.isFile || found.size > mostJson) throw refuse(`its ${name} is no file of JSON`);
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (cause) {
    throw refuse(`its ${name} is not JSON`, cause);
  }
}

async function readTensors(
  folder: string,
  { config, refuse }: { readonly config: BundleConfig; readonly refuse: Refuse },
): Promise<BundleTensors> {
  const name = "cavs.safetensors";
  const shapes = shapesOf(config);
  const numbers = Object.values(shapes).reduce(
    (sum, shape) => sum + shape.reduce((product, extent) => product * extent, 1),
    0,
  );
  const { size } = await Deno.stat(join(folder, name));
  const most = 4 * numbers + 65_536;
  if (size > most) throw refuse(`its ${name} has ${size} bytes, and its config asks for ${most}`);
  let tensors: ReadonlyMap<string, Tensor>;
  try {
    tensors = readSafetensors(await Deno.readFile(join(folder, name))).tensors;
  } catch (cause) {
    throw refuse(
      `its ${name} is damaged (${printable(cause instanceof Error ? cause.message : "")})`,
      cause,
    );
  }
  const entries = Object.entries(shapes).map(([key, shape]) => {
    const found = tensors.get(tensorNames[key as keyof BundleTensors]);
    if (`${found?.shape}` !== `${shape}`) {
      throw refuse(`its ${key} are [${found?.shape ?? "missing"}], and [${shape}] are expected`);
    }
    if (!found!.data.every(Number.isFinite)) throw refuse(`its ${key} are not all finite`);
    return [key, found!];
  });
  return Object.fromEntries(entries) as unknown as BundleTensors;
}

/**
 * Compares the model at hand with the one that a bundle was made for.
 *
 * @throws {UserError} with both values when model, layer or preprocessing differ.
 */
export function requireSameModel(
  { model }: BundleConfig,
  found: Pick<BundleConfig["model"], "sha256" | "layer" | "preprocess">,
): void {
  const differing = (["sha256", "layer", "preprocess"] as const).find((name) =>
    stable(model[name]) !== stable(found[name])
  );
  if (differing === undefined) return;
  const what = { sha256: "model with SHA-256", layer: "layer", preprocess: "preprocessing" };
  const hashes = differing === "sha256"
    ? ""
    : ` (models with SHA-256 ${model.sha256} and ${found.sha256})`;
  throw new UserError(
    `The bundle was made for the ${what[differing]} ${stable(model[differing])}, and this is ${
      stable(found[differing])
    }${hashes}. Take the same, or train a bundle for this one.`,
  );
}

/** A value with its keys in one order. */
function stable(value: unknown): string {
  if (typeof value === "string") return value;
  return JSON.stringify(
    value,
    (_, node) =>
      typeof node === "object" && node !== null && !Array.isArray(node)
        ? Object.fromEntries(Object.entries(node).sort(([a], [b]) => a < b ? -1 : 1))
        : node,
  );
}
