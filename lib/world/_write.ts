import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { mapBounded } from "../files/mod.ts";

/** Images rendered and encoded so far, of how many. */
export type Progress = (done: number, total: number) => void;

/** How many images are encoded and written at once; rendering itself is one after another. */
const inFlight = 8;

/**
 * Writes files under a root by running `write` for every item, several at once. Results come in the
 * order of the items.
 */
export async function writeAll<T, R>(
  items: readonly T[],
  { write, onDone }: { write: (item: T) => Promise<R>; onDone: () => void },
): Promise<R[]> {
  return await Array.fromAsync(mapBounded(items, {
    concurrency: inFlight,
    map: async (item) => {
      const result = await write(item);
      onDone();
      return result;
    },
  }));
}

/** Writes one file, with its folders. Lines of a text file end in a line feed. */
export async function writeUnder(
  root: string,
  { path, bytes }: { path: string; bytes: Uint8Array | readonly string[] },
): Promise<void> {
  const file = join(root, path);
  const content = bytes instanceof Uint8Array ? bytes : bytes.map((line) => `${line}\n`).join("");
  try {
    await writeFile(file, content);
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT") throw error;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}
