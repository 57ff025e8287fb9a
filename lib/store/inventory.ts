import { join } from "node:path";
import { type FolderEntry, isTemporary, readFolder, walkFiles } from "../files/mod.ts";
import { unseal } from "./_sealed_file.ts";
import { isPublishedFolder, openDirectory } from "./directory.ts";

/** All that the store holds of one stage: its artifacts and its record. */
export interface StoredStage {
  readonly stage: string;
  readonly key: string;
  /** Its files and published folders, relative to the store, sorted. */
  readonly paths: readonly string[];
  readonly bytes: number;
  /** When the last of it was written, by the clock of the machine that serves the files. */
  readonly written: Date;
}

const keyPattern = /^[0-9a-f]{64}$/;
/** What is kept beside the artifacts of a stage carries its key and this suffix. */
const recordSuffix = ".record";

/** Every stage of which the store in `root` holds something, by stage and key; unfinished writes apart. */
export async function* storedStages(root: string): AsyncGenerator<StoredStage> {
  for (const stage of foldersIn(root)) {
    for (const shard of foldersIn(join(root, stage))) {
      const entries = entriesOf(join(root, stage, shard)).filter(({ name }) => !isTemporary(name));
      for (const [key, ofKey] of Map.groupBy(entries, ({ name }) => keyOf(name))) {
        if (!keyPattern.test(key) || key.slice(0, 2) !== shard) continue;
        const stored = await describe(root, { stage, key, names: ofKey.map(({ name }) => name) });
        if (stored.paths.length > 0) yield stored;
      }
    }
  }
}

/** The paths of {@linkcode StoredStage} whose bytes are not what was published. Every byte is read. */
export async function damagedPaths(root: string, { paths }: StoredStage): Promise<string[]> {
  const damaged: string[] = [];
  for (const path of paths) if (!await isSound(join(root, path))) damaged.push(path);
  return damaged;
}

/** Removes some paths of the store. */
export async function removePaths(root: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await Deno.remove(join(root, path), { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

async function isSound(path: string): Promise<boolean> {
  try {
    if ((await Deno.lstat(path)).isDirectory) return typeof await openDirectory(path) === "object";
    return unseal(await Deno.readFile(path)) !== undefined;
  } catch (error) {
    // Removed meanwhile by another process: nothing is damaged.
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}

async function describe(
  root: string,
  { stage, key, names }: Pick<StoredStage, "stage" | "key"> & { readonly names: readonly string[] },
): Promise<StoredStage> {
  const paths: string[] = [];
  let bytes = 0;
  let written = 0;
  for (const name of names) {
    const path = join(stage, key.slice(0, 2), name);
    const { isDirectory } = await Deno.lstat(join(root, path));
    const isWhole = !isDirectory || await isPublishedFolder(join(root, path));
    for await (const file of isDirectory ? walkFiles(join(root, path)) : [""]) {
      const { size, mtime } = await Deno.lstat(join(root, path, file));
      bytes += size;
      written = Math.max(written, mtime?.getTime() ?? 0);
      if (!isWhole && !isTemporary(file)) paths.push(join(path, file));
    }
    if (isWhole) paths.push(path);
  }
  return { stage, key, paths, bytes, written: new Date(written) };
}

function keyOf(name: string): string {
  return name.endsWith(recordSuffix) ? name.slice(0, -recordSuffix.length) : name;
}

function foldersIn(path: string): string[] {
  return entriesOf(path).filter(({ kind }) => kind === "folder").map(({ name }) => name);
}

function entriesOf(path: string): FolderEntry[] {
  try {
    return readFolder(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
