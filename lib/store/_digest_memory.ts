import { join } from "node:path";
import { sha256, writeFileAtomically } from "../files/mod.ts";
import { seal, unseal } from "./_sealed_file.ts";

/**
 * The state of a file that tells whether its content may have changed: size in bytes, inode, and
 * the times of its modification and of its change in milliseconds. Not its device, whose number
 * differs between machines and between mounts.
 */
export type Stamp = readonly [size: number, inode: number, modified: number, changed: number];

/** A digest and the state in which the file had it. */
export interface Remembered {
  readonly stamp: Stamp;
  readonly sha256: string;
}

/** What is remembered of files, folder by folder. */
export interface DigestMemory {
  recall(folder: string, name: string): Promise<Remembered | undefined>;
  learn(folder: string, file: Remembered & { readonly name: string }): Promise<void>;
  /** Writes everything learnt. */
  save(): Promise<void>;
}

/** The files of one folder by name. */
interface FolderMemory {
  readonly files: Map<string, Remembered>;
  isChanged: boolean;
}

/**
 * Folders whose memories are held at once: more than are looked at together. The others are on
 * disk, so that a walk through a million files needs no more than this.
 */
const heldFolders = 64;

/**
 * Opens the memories below `root`. Each folder has one file there, replaced as a whole, so of
 * several processes the last one wins. It is a help only: one that is damaged is empty, one that
 * cannot be written is lost.
 *
 * @param options.forget believes nothing that another process wrote.
 */
export function openDigestMemory(
  root: string,
  { forget }: { readonly forget: boolean },
): DigestMemory {
  const held = new Map<string, Promise<FolderMemory>>();
  const leaving = new Map<string, Promise<void>>();
  const own = new Set<string>();

  const load = async (folder: string): Promise<FolderMemory> => {
    await leaving.get(folder);
    const files = forget && !own.has(folder) ? new Map() : await readFolderMemory(root, folder);
    return { files, isChanged: false };
  };
  const write = async (folder: string, memory: FolderMemory): Promise<void> => {
    if (!memory.isChanged) return;
    memory.isChanged = false;
    await writeFolderMemory(root, { folder, files: memory.files })
      .then(() => own.add(folder), () => {});
  };
  const letGo = (folder: string): void => {
    const memory = held.get(folder)!;
    held.delete(folder);
    const written = memory.then((memory) => write(folder, memory))
      .then(() => void leaving.delete(folder));
    leaving.set(folder, written);
  };
  const memoryOf = (folder: string): Promise<FolderMemory> => {
    const memory = held.get(folder) ?? load(folder);
    held.delete(folder);
    held.set(folder, memory);
    if (held.size > heldFolders) letGo(held.keys().next().value!);
    return memory;
  };
  return {
    recall: async (folder, name) => (await memoryOf(folder)).files.get(name),
    learn: async (folder, { name, stamp, sha256 }) => {
      const memory = await memoryOf(folder);
      memory.files.set(name, { stamp, sha256 });
      memory.isChanged = true;
    },
    save: async () => {
      for (const folder of [...held.keys()]) letGo(folder);
      await Promise.all(leaving.values());
    },
  };
}

/** A row of a folder's memory. */
type Row = readonly [name: string, sha256: string, ...stamp: Stamp];

/** A sealed file of rows as JSON. */
async function readFolderMemory(root: string, folder: string): Promise<Map<string, Remembered>> {
  try {
    const file = await Deno.readFile(pathOf(root, folder));
    const payload = unseal(file);
    if (payload === undefined) return new Map();
    const rows: readonly Row[] = JSON.parse(new TextDecoder().decode(payload));
    return new Map(rows.map(([name, sha256, ...stamp]) => [name, { stamp, sha256 }]));
  } catch {
    return new Map();
  }
}

async function writeFolderMemory(
  root: string,
  { folder, files }: { readonly folder: string; readonly files: FolderMemory["files"] },
): Promise<void> {
  const rows = Array.from(files, ([name, { sha256, stamp }]): Row => [name, sha256, ...stamp]);
  const payload = new TextEncoder().encode(JSON.stringify(rows));
  await writeFileAtomically(pathOf(root, folder), ...seal(payload));
}

function pathOf(root: string, folder: string): string {
  const name = sha256(folder);
  return join(root, name.slice(0, 2), name);
}
