import { dirname, join, relative, sep } from "node:path";
import { asStorageError, createTemporaryFile, readFolder } from "../files/mod.ts";

/**
 * The time by the clock of the machine that serves a folder, in milliseconds since 1970: the ages of
 * its files are told by that one, which may be off from ours.
 */
export async function serverTime(folder: string): Promise<number> {
  await using probe = await createTemporaryFile(folder);
  return (await probe.file.stat()).mtime?.getTime() ?? Date.now();
}

/**
 * Runs an operation on a path of a shared folder. A network file system remembers for some seconds
 * that a name was missing, so a miss is believed only after the folders on the way were listed.
 *
 * @returns `undefined` when the path is not there.
 */
export async function unlessMissing<T>(
  path: string,
  { root, operation }: { readonly root: string; readonly operation: (path: string) => Promise<T> },
): Promise<T | undefined> {
  const attempt = async () => {
    try {
      return await operation(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  };
  const found = await attempt();
  return found !== undefined || !isListed(path, root) ? found : await attempt();
}

function isListed(path: string, root: string): boolean {
  let folder = root;
  for (const name of relative(root, path).split(sep)) {
    try {
      if (!readFolder(folder).some((entry) => entry.name === name)) return false;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
    folder = join(folder, name);
  }
  return true;
}

/** Locks are spread over so many files, which no process removes. */
const lockFiles = 4096;

/**
 * Holds a lock of a shared folder until it is disposed of; processes that ask for equal names wait
 * for each other where the file system has locks. A killed process holds none.
 *
 * @param name a content key.
 * @returns whether another one held it before, beside the lock.
 * @throws {StorageError} when the folder cannot be written.
 */
export async function lockIn(
  root: string,
  name: string,
): Promise<Disposable & { readonly waited: boolean }> {
  const path = join(root, ".locks", String(parseInt(name.slice(0, 8), 16) % lockFiles));
  const file = await openToLock(path).catch((cause) => {
    throw asStorageError(path, cause);
  });
  const held = { [Symbol.dispose]: () => file.close() };
  try {
    if (await file.tryLock(true)) return { ...held, waited: false };
    await file.lock(true);
    return { ...held, waited: true };
  } catch {
    // No locks here: two processes then compute the same, and the first one's bytes stay.
    return { ...held, waited: false };
  }
}

async function openToLock(path: string): Promise<Deno.FsFile> {
  await Deno.mkdir(dirname(path), { recursive: true });
  return await Deno.open(path, { write: true, create: true });
}
