import { dirname, join } from "node:path";
import {
  asStorageError,
  createTemporaryFolder,
  hashFile,
  mapBounded,
  sha256,
  walkFiles,
  writeAll,
} from "../files/mod.ts";
import { canonicalJson } from "./content_key.ts";

/** The name of the record that a published folder carries. */
export const folderRecordName = ".files.json";

/** A published folder: where it is, and the SHA-256 of every file by its relative path, sorted. */
export interface DirectoryRecord {
  readonly path: string;
  readonly files: Readonly<Record<string, string>>;
}

/** The name of a file in a temporary folder that is locked while the folder is filled. */
export const directoryLock = folderRecordName;

/** What a folder that comes from elsewhere must turn out to be. */
export interface PublishOptions {
  /** The record that it had there. */
  readonly expected?: string;
}

/**
 * Fills a temporary folder and renames it to `path`, with a record of the checksums of its files.
 * When another process has published a sound one meanwhile, that one stays and is returned.
 *
 * @throws {RangeError} when the record is not the expected one.
 */
export async function publishDirectory(
  path: string,
  fill: (directory: string) => Promise<void>,
  { expected }: PublishOptions = {},
): Promise<DirectoryRecord> {
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    await using temporary = await createTemporaryFolder(dirname(path), { lock: directoryLock });
    await fill(temporary.path);
    const files = await checksums(temporary.path);
    const record = canonicalJson({ files, checksum: sha256(canonicalJson(files)) });
    if (record !== (expected ?? record)) {
      throw new RangeError(`The files of ${path} fail their checksums.`);
    }
    await writeAll(temporary.file, new TextEncoder().encode(record));
    return await renameUnlessThere(temporary.path, { path, files });
  } catch (cause) {
    throw asStorageError(path, cause);
  }
}

/** A folder cannot be renamed to one that is not empty. */
async function renameUnlessThere(
  temporary: string,
  record: DirectoryRecord,
): Promise<DirectoryRecord> {
  const { path } = record;
  try {
    await Deno.rename(temporary, path);
    return record;
  } catch (error) {
    const there = await openDirectory(path);
    if (typeof there === "object") return there;
    if (there === "missing") throw error;
    await Deno.remove(path, { recursive: true });
    await Deno.rename(temporary, path);
    return record;
  }
}

/** Whether a folder was published as a whole, and is not one of parts. */
export async function isPublishedFolder(path: string): Promise<boolean> {
  return await Deno.lstat(join(path, folderRecordName)).then(() => true, (error) => {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  });
}

/** How far the comparison of a folder with its record is, in files. */
export type OnCompared = (done: number, total: number) => void;

/** Opens a published folder after comparing every file with its recorded checksum. */
export async function openDirectory(
  path: string,
  { onCompared }: { readonly onCompared?: OnCompared } = {},
): Promise<DirectoryRecord | "missing" | "corrupt"> {
  try {
    await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "missing";
    throw error;
  }
  try {
    const record = JSON.parse(await Deno.readTextFile(join(path, folderRecordName)));
    const total = Object.keys(record.files).length;
    const files = await checksums(path, { onHashed: (done) => onCompared?.(done, total) });
    const found = sha256(canonicalJson(files));
    return found === record.checksum ? { path, files: record.files } : "corrupt";
  } catch (error) {
    const isDamage = [SyntaxError, TypeError, Deno.errors.NotFound, Deno.errors.NotADirectory]
      .some((damage) => error instanceof damage);
    if (isDamage) return "corrupt";
    throw error;
  }
}

/** The SHA-256 of every file below `root` by relative path, in sorted order. */
async function checksums(
  root: string,
  { onHashed }: { readonly onHashed?: (done: number) => void } = {},
): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const hashed = mapBounded(walkFiles(root), {
    concurrency: 32,
    map: async (path) => ({ path, ...await hashFile(join(root, path)) }),
  });
  let done = 0;
  for await (const { path, sha256 } of hashed) {
    if (path === folderRecordName) continue;
    files[path] = sha256;
    onHashed?.(++done);
  }
  return files;
}
