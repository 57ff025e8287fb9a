import { dirname, join } from "node:path";
import { createTemporaryFile } from "./temporary.ts";

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
  await place(path, { parts, move: (temporary) => Deno.rename(temporary, path) });
}

/**
 * As {@linkcode writeFileAtomically}, of bytes that come in pieces.
 *
 * @returns how many there were.
 * @throws {StorageError} when the disk is full or the folder cannot be written.
 */
export async function writeStreamAtomically(
  path: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<number> {
  return await place(path, {
    parts: pieces,
    move: async (temporary) => {
      const { size } = await Deno.stat(temporary);
      await Deno.rename(temporary, path);
      return size;
    },
  });
}

/**
 * As {@linkcode writeFileAtomically}, but a file that is there already stays: of several writers the
 * first wins, and no reader ever sees a file replaced, which over NFS would fail in its hands.
 *
 * @returns whether it is this one's.
 * @throws {StorageError} when the disk is full or the folder cannot be written.
 */
export async function publishFile(path: string, ...parts: readonly Uint8Array[]): Promise<boolean> {
  return await place(path, { parts, move: (temporary) => moveUnlessThere(temporary, path) });
}

/**
 * Makes a folder and tries whether files can be written into it.
 *
 * @throws {StorageError} when they cannot.
 */
export async function requireWritable(folder: string): Promise<void> {
  const probe = join(folder, `.writable-${crypto.randomUUID()}`);
  await writeFileAtomically(probe);
  await Deno.remove(probe);
}

async function place<T>(
  path: string,
  { parts, move }: {
    readonly parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
    readonly move: (temporary: string) => Promise<T>;
  },
): Promise<T> {
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    await using temporary = await createTemporaryFile(dirname(path));
    for await (const part of parts) await writeAll(temporary.file, part);
    await temporary.file.syncData();
    return await move(temporary.path);
  } catch (cause) {
    throw asStorageError(path, cause);
  }
}

/** A link is refused when the name is taken, which a rename is not. */
async function moveUnlessThere(temporary: string, path: string): Promise<boolean> {
  try {
    await Deno.link(temporary, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    if (!isUnsupported(error)) throw error;
    await Deno.rename(temporary, path);
  }
  return true;
}

/** Some file systems have no links, such as FAT and many that a cloud's storage is mounted by. */
function isUnsupported(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return error instanceof Deno.errors.NotSupported ||
    ["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EMLINK"].includes(String(code));
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
  if (["EROFS", "EACCES", "EPERM", "ENOTDIR", "EEXIST"].includes(`${code}`)) {
    return new StorageError(
      `Writing ${path} failed: its folder is not writable. Make it writable, or name another folder.`,
      { cause },
    );
  }
  return cause;
}

/** Writes all of the bytes where the file stands. */
export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length;) offset += await file.write(bytes.subarray(offset));
}
