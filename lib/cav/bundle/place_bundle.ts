import { basename, dirname, join, resolve } from "node:path";
import {
  asStorageError,
  createTemporaryFolder,
  readFolder,
  UserError,
  walkFiles,
} from "../../files/mod.ts";

/**
 * Copies the files of a bundle to where a user wants it. It is there whole or not at all; one that
 * is there already is replaced, and nothing else ever is.
 *
 * @throws {UserError} when the place holds something else than a bundle.
 * @throws {StorageError} when it cannot be written.
 */
export async function placeBundle(from: string, to: string): Promise<void> {
  const target = resolve(to);
  const before = requirePlace(target);
  try {
    await Deno.mkdir(dirname(target), { recursive: true });
    await using temporary = await createTemporaryFolder(dirname(target), { lock: lockName });
    const filled = join(temporary.path, basename(target));
    for await (const path of walkFiles(from)) {
      if (path.startsWith(".")) continue;
      await Deno.mkdir(dirname(join(filled, path)), { recursive: true });
      await Deno.copyFile(join(from, path), join(filled, path));
    }
    if (before !== "nothing") await Deno.rename(target, join(temporary.path, "before"));
    await Deno.rename(filled, target);
  } catch (cause) {
    throw asStorageError(target, cause);
  }
}

const lockName = ".lock";

/**
 * Checks that a bundle may be written to a place: nothing is there, an empty folder, or a bundle.
 *
 * @throws {UserError} when something else is there.
 */
export function requirePlace(path: string): "nothing" | "bundle" {
  const found = whatIsAt(resolve(path));
  if (found !== "other") return found;
  throw new UserError(
    `${resolve(path)} is there already and is no bundle. Name another folder with --out.`,
  );
}

/** What a folder holds; an empty one may be filled. */
function whatIsAt(path: string): "nothing" | "bundle" | "other" {
  try {
    const names = readFolder(path).map(({ name }) => name);
    if (names.length === 0) return "bundle";
    return names.includes("manifest.json") && names.includes("cavs.safetensors")
      ? "bundle"
      : "other";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "nothing";
    if (error instanceof Deno.errors.NotADirectory) return "other";
    throw error;
  }
}
