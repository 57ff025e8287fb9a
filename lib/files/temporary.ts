import { basename, join } from "node:path";

/**
 * A file or folder under a name that no other writer uses, removed when it goes out of scope unless
 * it was renamed. As long as its process lives, `file` is locked: a leftover of a killed one is
 * told by being free.
 */
export interface Temporary extends AsyncDisposable {
  readonly path: string;
  /** The file, or the one named `lock` in the folder; open for writing, closed with the scope. */
  readonly file: Deno.FsFile;
}

const prefix = ".writing-";
/** A hyphen and a UUID after the name of the machine. */
const suffixLength = 37;

/** Whether a name is that of an unfinished write. */
export function isTemporary(name: string): boolean {
  return name.startsWith(prefix);
}

/** Creates a temporary file in a folder that exists. */
export async function createTemporaryFile(folder: string): Promise<Temporary> {
  return await createLocked(() => {
    const path = join(folder, temporaryName());
    return Promise.resolve({ path, locked: path });
  });
}

/** Creates a temporary folder in one that exists, with a file `lock` in it. */
export async function createTemporaryFolder(
  parent: string,
  { lock }: { readonly lock: string },
): Promise<Temporary> {
  return await createLocked(async () => {
    const path = join(parent, temporaryName());
    await Deno.mkdir(path);
    return { path, locked: join(path, lock) };
  });
}

/**
 * Removes what a process of this machine was writing when it died, and returns whether it did; what
 * is still being written stays, and so does what another machine may be writing.
 *
 * @param options.lock the name given to {@linkcode createTemporaryFolder}.
 */
export async function removeAbandoned(
  path: string,
  { lock }: { readonly lock: string },
): Promise<boolean> {
  const host = hostName();
  if (host === "" || basename(path).slice(prefix.length, -suffixLength) !== host) return false;
  try {
    const { isDirectory } = await Deno.lstat(path);
    using file = await Deno.open(isDirectory ? join(path, lock) : path, { write: true });
    if (!await file.tryLock(true)) return false;
    // Still locked, so that a writer who just created it sees that it is gone.
    await Deno.remove(path, { recursive: true });
    return true;
  } catch {
    // Gone meanwhile, not locked yet, or the file system has no locks: its age decides.
    return false;
  }
}

async function createLocked(
  place: () => Promise<{ readonly path: string; readonly locked: string }>,
): Promise<Temporary> {
  while (true) {
    const { path, locked } = await place();
    const file = await Deno.open(locked, { write: true, createNew: true }).catch(async (error) => {
      await Deno.remove(path, { recursive: true }).catch(() => {});
      throw error;
    });
    // Without locks a leftover stays until its age says that nobody writes it.
    await file.lock(true).catch(() => {});
    if ((await file.stat()).nlink !== 0) return { path, file, ...disposal(path, file) };
    file.close();
  }
}

function disposal(path: string, file: Deno.FsFile): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      await Deno.remove(path, { recursive: true }).catch(() => {});
      file.close();
    },
  };
}

function temporaryName(): string {
  return `${prefix}${hostName()}-${crypto.randomUUID()}`;
}

/** Empty where it may not be asked for; then nothing is known to be of this machine. */
function hostName(): string {
  try {
    return encodeURIComponent(Deno.hostname());
  } catch {
    return "";
  }
}
