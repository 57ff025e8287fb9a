import { createHash } from "node:crypto";
import { UserError } from "../../files/mod.ts";
import { readSafetensors } from "../../tensor/mod.ts";
import { withoutPrefixes } from "./_prefixes.ts";
import { readPth, type StateDict, unzipPth } from "./pth.ts";

/** What a weights file must hash to; each given hash is checked before anything is parsed. */
export interface ExpectedHash {
  /** SHA-256 of the file on disk, 64 hexadecimal digits. */
  readonly sha256?: string;
  /** The first digits of that SHA-256, as torchvision writes them into its file names. */
  readonly sha256Prefix?: string;
  /** SHA-1 of the `.pth` file; inside its zip where the file is a `.pth.zip`, as pytorchcv does. */
  readonly sha1?: string;
}

/** What is expected of a weights file, and what of it is wanted. */
export interface LoadWeightsOptions extends ExpectedHash {
  /** Whether a tensor is wanted, by its name in the file; all when left out. */
  readonly only?: ((name: string) => boolean) | undefined;
}

/** What torch.save's files are named, among them `model_best.pth.tar` of PyTorch's own example. */
const torchFile = /\.(pth|pt|th|ckpt|bin|tar)(\.zip)?$/;

/**
 * Reads a state dict from a `.safetensors` file, or from a checkpoint or state dict of torch.save,
 * whatever its ending (.pth, .pt, .th, .ckpt, .bin, .tar; packed as .zip). Prefixes of wrappers
 * ("module.") are taken off the names. `remarks` say what was chosen and what left out.
 *
 * @throws {UserError} when the file is missing, has another hash than expected (nothing of it is
 * parsed then), has another ending or is malformed.
 */
export async function loadWeights(
  path: string,
  { only, ...expected }: LoadWeightsOptions = {},
): Promise<StateDict> {
  const bytes = await readFile(path);
  if (expected.sha256 !== undefined || expected.sha256Prefix !== undefined) {
    const sha256 = hexDigest("sha256", bytes);
    requireHash(path, "SHA-256", { expected: expected.sha256, found: sha256 });
    requireHash(path, "SHA-256 prefix", {
      expected: expected.sha256Prefix,
      found: sha256.slice(0, expected.sha256Prefix?.length),
    });
  }
  const content = path.endsWith(".zip")
    ? await malformedIsUserError(path, () => unzipPth(bytes))
    : bytes;
  if (expected.sha1 !== undefined) {
    requireHash(path, "SHA-1", { expected: expected.sha1, found: hexDigest("sha1", content) });
  }
  return withoutPrefixes(await malformedIsUserError(path, () => parse(path, content, only)));
}

async function parse(
  path: string,
  bytes: Uint8Array,
  only: LoadWeightsOptions["only"],
): Promise<StateDict> {
  if (path.endsWith(".safetensors")) {
    return { tensors: readSafetensors(bytes, { only }).tensors, remarks: [] };
  }
  if (torchFile.test(path)) return await readPth(bytes, { only });
  throw new Error("the file name must end in .safetensors, .pth, .pt, .th, .ckpt, .bin or .tar.");
}

async function malformedIsUserError<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`Loading the weights ${path}: ${reason}`, { cause });
  }
}

async function readFile(path: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound ? "there is no such file" : String(cause);
    throw new UserError(
      `Loading the weights ${path}: ${reason}; get it with "deno task data fetch" or correct the path.`,
      { cause },
    );
  }
}

function hexDigest(algorithm: "sha256" | "sha1", bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest("hex");
}

function requireHash(
  path: string,
  algorithm: string,
  { expected, found }: { readonly expected: string | undefined; readonly found: string },
): void {
  if (expected === undefined || found === expected.toLowerCase()) return;
  throw new UserError(
    `Loading the weights ${path}: expected ${algorithm} ${expected}, found ${found}; ` +
      "the file is damaged or another one: delete it and fetch it again, or correct the config.",
  );
}
