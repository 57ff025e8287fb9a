import { dirname, join } from "node:path";

/** A file could not be written: the disk is full, or the folder is read-only or gone. */
export class StorageError extends Error {
  override readonly name = "StorageError";
}

/**
 * Writes a file so that it is there whole or not at all: under a temporary name in the same folder,
 * synced to disk, then renamed. Folders on the way are made.
 *
 * @throws {StorageError} when the disk is full or the folder cannot be written.
 */
export async function writeFileAtomically(
  path: string,
  ...parts: readonly Uint8Array[]
): Promise<void> {
  const temporary = join(dirname(path), temporaryName());
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    using file = await Deno.open(temporary, { write: true, createNew: true });
    for (const part of parts) await writeAll(file, part);
    await file.syncData();
    await Deno.rename(temporary, path);
  } catch (cause) {
    await Deno.remove(temporary).catch(() => {});
    throw asStorageError(path, cause);
  }
}

const temporaryPrefix = ".writing-";

/** A name that no other writer uses. */
export function temporaryName(): string {
  return `${temporaryPrefix}${crypto.randomUUID()}`;
}

/** Whether a name is that of an unfinished write. */
export function isTemporary(name: string): boolean {
  return name.startsWith(temporaryPrefix);
}

/** Explains a failed write in one sentence; other errors pass unchanged. */
export function asStorageError(path: string, cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  const code = "code" in cause ? cause.code : undefined;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new StorageError(
      `Writing ${path} failed: the disk is full. Free some space and run the command again; finished work is kept.`,
      { cause },
    );
  }
  if (code === "EROFS" || code === "EACCES" || code === "EPERM" || code === "ENOTDIR") {
    return new StorageError(
      `Writing ${path} failed: its folder is not writable. Make it writable, or name another folder.`,
      { cause },
    );
  }
  return cause;
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length;) offset += await file.write(bytes.subarray(offset));
}
