import { basename, dirname, join, resolve } from "node:path";
import {
  type HashedFile,
  type HashedTree,
  hashFile,
  hashTree,
  type HashTreeOptions,
  UserError,
} from "../files/mod.ts";
import { openDigestMemory, type Stamp } from "./_digest_memory.ts";

/**
 * The content of files and folders, known without reading them again: a digest is remembered with
 * the file's path, size, inode, and times of modification and of change (which nobody can set), and
 * believed as long as all are the same. What was told once in this process is not looked at again.
 */
export interface Digests {
  /**
   * The SHA-256 of a file in hexadecimal, or `undefined` when there is none.
   *
   * @throws {UserError} when it cannot be read.
   */
  file(path: string): Promise<string | undefined>;
  /**
   * Everything below a folder as {@linkcode hashTree} has it, or `undefined` when there is none.
   *
   * @throws {UserError} when something in it cannot be read.
   */
  folder(path: string, options?: FolderOptions): Promise<HashedTree | undefined>;
  /** Writes what was learnt; of many folders most of it is written before. */
  save(): Promise<void>;
}

/** What of a folder takes part, who is told how far it is, and what stops it. */
export type FolderOptions = Omit<HashTreeOptions, "hash">;

/**
 * A digest is remembered when the file had been left alone for so many milliseconds: a second
 * change within the same tick of its time of change, which Deno tells in whole seconds, would leave
 * no trace. The rest is for a file server whose clock is behind.
 */
const settled = 2000;

/** How digests are looked up. */
export interface DigestsOptions {
  /** Believes nothing that was remembered before. */
  readonly rehash?: boolean;
  /** The time in milliseconds. */
  readonly now?: () => number;
}

/** Opens the memory of digests in a store, which several processes may share. */
export function openDigests(
  storeRoot: string,
  { rehash = false, now = Date.now }: DigestsOptions = {},
): Digests {
  const memory = openDigestMemory(join(storeRoot, "digests"), { forget: rehash });
  const unsettled = new Map<string, HashedFile>();
  const atWork = new Map<string, Promise<HashedFile>>();
  const files = new Map<string, Promise<string | undefined>>();
  const folders = new Map<
    FolderOptions["include"],
    Map<string, Promise<HashedTree | undefined>>
  >();

  const look = async (path: string): Promise<HashedFile> => {
    const [folder, name, looked] = [dirname(path), basename(path), now()];
    const info = await Deno.stat(path);
    const stamp = stampOf(info);
    const known = await memory.recall(folder, name);
    if (known !== undefined && stamp?.every((part, i) => part === known.stamp[i])) {
      return { bytes: info.size, sha256: known.sha256 };
    }
    const hashed = await hashFile(path);
    if (stamp === undefined || stamp[3] + settled > looked) unsettled.set(path, hashed);
    else await memory.learn(folder, { name, stamp, sha256: hashed.sha256 });
    return hashed;
  };
  const digestOf = async (path: string): Promise<HashedFile> => {
    try {
      return unsettled.get(path) ?? await once(atWork, path, () => look(path));
    } catch (cause) {
      throw asUserError(path, cause);
    } finally {
      atWork.delete(path);
    }
  };
  const hashFolder = async (path: string, options: FolderOptions) =>
    await exists(path) ? await hashTree(path, { ...options, hash: digestOf }) : undefined;
  return {
    file: (path) => {
      const absolute = resolve(path);
      return once(
        files,
        absolute,
        async () => await exists(absolute) ? (await digestOf(absolute)).sha256 : undefined,
      );
    },
    folder: (path, options = {}) => {
      const absolute = resolve(path);
      const { include } = options;
      const told = folders.get(include) ?? new Map();
      folders.set(include, told);
      return once(told, absolute, () => hashFolder(absolute, options));
    },
    save: () => memory.save(),
  };
}

/** Does a thing once for each key, also when it is asked for again meanwhile. */
function once<V>(
  done: Map<string, Promise<V>>,
  key: string,
  make: () => Promise<V>,
): Promise<V> {
  const known = done.get(key);
  if (known !== undefined) return known;
  const value = make();
  done.set(key, value);
  return value;
}

/** Nothing to go by on a system that tells no inode or no time of change. */
function stampOf({ size, ino, mtime, ctime }: Deno.FileInfo): Stamp | undefined {
  if (ino === null || mtime === null || ctime === null) return undefined;
  return [size, ino, mtime.getTime(), ctime.getTime()];
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, (error) => {
    const { NotFound, NotADirectory } = Deno.errors;
    const isNone = error instanceof NotFound || error instanceof NotADirectory ||
      error?.code === "ENAMETOOLONG";
    if (isNone) return false;
    throw asUserError(path, error);
  });
}

function asUserError(path: string, cause: unknown): unknown {
  const { NotFound, PermissionDenied, IsADirectory, FilesystemLoop } = Deno.errors;
  const reason = cause instanceof NotFound
    ? "it is a link that leads nowhere, or was removed meanwhile"
    : cause instanceof PermissionDenied
    ? "it may not be read"
    : cause instanceof FilesystemLoop
    ? "it is a link to itself"
    : cause instanceof IsADirectory
    ? "it is a folder"
    : undefined;
  if (reason === undefined) return cause;
  return new UserError(`Hashing ${path}: ${reason}. Mend it, or move it away.`, { cause });
}
