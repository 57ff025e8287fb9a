import { dirname, join } from "node:path";
import { asStorageError, temporaryName } from "../files/mod.ts";
import { sha256 } from "../files/mod.ts";
import { canonicalJson } from "./content_key.ts";

/** The name of the record that a published folder carries. */
const recordName = ".files.json";

/** A published folder: where it is, and the SHA-256 of every file by its relative path, sorted. */
export interface DirectoryRecord {
  readonly path: string;
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Fills a temporary folder and renames it to `path`, with a record of the checksums of its files.
 * When another process has published the same folder meanwhile, that one stays.
 */
export async function publishDirectory(
  path: string,
  fill: (directory: string) => Promise<void>,
): Promise<DirectoryRecord> {
  const temporary = join(dirname(path), temporaryName());
  try {
    await Deno.mkdir(temporary, { recursive: true });
    await fill(temporary);
    const files = await checksums(temporary);
    const record = canonicalJson({ files, checksum: sha256(canonicalJson(files)) });
    await Deno.writeTextFile(join(temporary, recordName), record);
    await Deno.rename(temporary, path).catch(async (error) => {
      if (await openDirectory(path) === "missing") throw error;
      await Deno.remove(temporary, { recursive: true });
    });
    return { path, files };
  } catch (cause) {
    await Deno.remove(temporary, { recursive: true }).catch(() => {});
    throw asStorageError(path, cause);
  }
}

/** Opens a published folder after comparing every file with its recorded checksum. */
export async function openDirectory(
  path: string,
): Promise<DirectoryRecord | "missing" | "corrupt"> {
  try {
    await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "missing";
    throw error;
  }
  try {
    const record = JSON.parse(await Deno.readTextFile(join(path, recordName)));
    const found = sha256(canonicalJson(await checksums(path)));
    return found === record.checksum ? { path, files: record.files } : "corrupt";
  } catch {
    return "corrupt";
  }
}

/** The SHA-256 of every file below `root` by relative path, in sorted order. */
async function checksums(root: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const path of await filesBelow(root, "")) {
    files[path] = sha256(await Deno.readFile(join(root, path)));
  }
  return files;
}

async function filesBelow(root: string, folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const entry of Deno.readDir(join(root, folder))) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory) paths.push(...await filesBelow(root, path));
    else if (path !== recordName) paths.push(path);
  }
  return paths.sort();
}
