import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type FolderEntry,
  isTemporary,
  mapBounded,
  publishFile,
  readFolder,
  removeAbandoned,
  walkFiles,
} from "../files/mod.ts";
import { seal, unseal } from "./_sealed_file.ts";
import { contentKey, type Json } from "./content_key.ts";
import {
  directoryLock,
  type DirectoryRecord,
  openDirectory,
  publishDirectory,
} from "./directory.ts";
import { lockIn, serverTime, unlessMissing } from "./shared_folder.ts";

/** The address of an artifact: the stage that makes it and the hash of all that its bytes depend on. */
export interface ArtifactRef {
  readonly stage: string;
  readonly key: string;
  /** Names one of several artifacts of a stage, such as a chunk of rows. */
  readonly part?: string;
}

/**
 * Artifacts on disk. Several processes may share one: an artifact appears whole, and the first
 * writer of two wins; equal addresses hold equal bytes.
 */
export interface Store {
  readonly root: string;
  /** Whether an artifact is there; its bytes are not read. */
  has(ref: ArtifactRef): Promise<boolean>;
  /** The bytes, or `undefined` when the artifact is missing or corrupt; a corrupt one is removed. */
  read(ref: ArtifactRef): Promise<Uint8Array | undefined>;
  /** Publishes an artifact; one that is there stays. */
  write(ref: ArtifactRef, bytes: Uint8Array): Promise<void>;
  /**
   * A folder artifact as `publishDirectory` wrote it, or `undefined`; a corrupt one is removed. Its
   * files are compared with their checksums the first time that this store opens it.
   */
  openDirectory(ref: ArtifactRef): Promise<DirectoryRecord | undefined>;
  /** Publishes a folder: `fill` writes into an empty temporary one. */
  publishDirectory(
    ref: ArtifactRef,
    fill: (directory: string) => Promise<void>,
  ): Promise<DirectoryRecord>;
  /** Keeps the record of the stage at `ref` beside its artifacts; the first one stays. */
  writeRecord(ref: ArtifactRef, record: StageRecord): Promise<void>;
  /** The record of the stage at `ref`, whatever the part, or `undefined`. */
  readRecord(ref: ArtifactRef): Promise<StageRecord | undefined>;
  /**
   * Removes what killed processes began to write and did not finish: those of this machine at once,
   * others when older than `age`.
   */
  removeUnfinished(age: { readonly milliseconds: number }): Promise<void>;
  /**
   * Waits until no other process on the store's file system works under a name, and keeps the others
   * waiting until it is disposed of; `waited` when there was one.
   */
  lock(name: Json): Promise<Disposable & { readonly waited: boolean }>;
  /** Removes every artifact and unfinished write; returns the bytes freed. */
  clean(): Promise<number>;
}

/** What computing a stage's value took, kept beside it: a later run that only reads it can tell. */
export interface StageRecord {
  /** The machine that computed it. */
  readonly host: string;
  /** Its processor, since sums are rounded differently from one to the other. */
  readonly cpu: string;
  /** When the computation began, in ISO 8601. */
  readonly started: string;
  readonly seconds: number;
  readonly peakMemoryBytes: number;
  /** What a user should know of the value, in sentences. */
  readonly remarks: readonly string[];
}

/** What the store tells its owner. */
export interface StoreEvents {
  /** An artifact failed its checksum and was removed; whoever needs it computes it again. */
  readonly onCorrupt?: (path: string) => void;
  /**
   * What was to be written differs from what is there, which stays; who computed that, where it is
   * recorded.
   */
  readonly onDiffers?: (path: string, there: StageRecord | undefined) => void;
  /** A folder artifact is being compared with its checksums, file by file. */
  readonly onCompared?: (path: string, done: number, total: number) => void;
}

/** How deep the parts of an artifact lie: stage, two digits of the key, key. */
const partDepth = 3;

/**
 * Opens the store in a folder, which need not exist. An artifact file is the SHA-256 of its payload
 * followed by the payload.
 */
export function openStore(
  root: string,
  { onCorrupt = () => {}, onCompared = () => {}, onDiffers = () => {} }: StoreEvents = {},
): Store {
  const pathOf = ({ stage, key, part }: ArtifactRef) =>
    join(root, stage, key.slice(0, 2), part === undefined ? key : join(key, part));
  const recordPathOf = ({ stage, key }: ArtifactRef) => `${pathOf({ stage, key })}.record`;
  const discard = async (path: string) => {
    onCorrupt(path);
    await Deno.remove(path, { recursive: true }).catch(onMissing(undefined));
  };
  const readFile = async (path: string) => {
    const file = await unlessMissing(path, { root, operation: Deno.readFile });
    if (file === undefined) return undefined;
    const payload = unseal(file);
    if (payload === undefined) await discard(path);
    return payload;
  };
  const writeFile = (path: string, bytes: Uint8Array) => publishFile(path, ...seal(bytes));
  const readRecord = async (ref: ArtifactRef): Promise<StageRecord | undefined> => {
    const bytes = await readFile(recordPathOf(ref));
    // Older versions of this code wrote no remarks and no processor.
    return bytes &&
      { remarks: [], cpu: "unknown", ...JSON.parse(new TextDecoder().decode(bytes)) };
  };
  const verified = new Map<string, DirectoryRecord>();
  return {
    root,
    has: async (ref) =>
      await unlessMissing(pathOf(ref), { root, operation: Deno.lstat }) !== undefined,
    read: (ref) => readFile(pathOf(ref)),
    write: async (ref, bytes) => {
      const path = pathOf(ref);
      if (await writeFile(path, bytes)) return;
      const there = await readFile(path);
      if (there === undefined) await writeFile(path, bytes);
      else if (!Buffer.from(there).equals(bytes)) onDiffers(path, await readRecord(ref));
    },
    openDirectory: async (ref) => {
      const path = pathOf(ref);
      const known = verified.get(path);
      if (known !== undefined) return known;
      if (await unlessMissing(path, { root, operation: Deno.lstat }) === undefined) {
        return undefined;
      }
      const opened = await openDirectory(path, {
        onCompared: (done, total) => onCompared(path, done, total),
      });
      if (opened === "corrupt") await discard(path);
      if (typeof opened !== "object") return undefined;
      verified.set(path, opened);
      return opened;
    },
    publishDirectory: (ref, fill) => publishDirectory(pathOf(ref), fill),
    writeRecord: async (ref, record) => {
      await writeFile(recordPathOf(ref), new TextEncoder().encode(JSON.stringify(record)));
    },
    readRecord,
    removeUnfinished: (age) => removeUnfinished(root, age),
    lock: (name) => lockIn(root, contentKey(name)),
    clean: () => removeTree(root),
  };
}

/** {@linkcode Store.removeUnfinished} of any folder that is written like a store, such as of results. */
export async function removeUnfinished(
  folder: string,
  { milliseconds }: { readonly milliseconds: number },
): Promise<void> {
  if (!existsSync(folder)) return;
  await removeBefore(folder, { before: await serverTime(folder) - milliseconds });
}

/** Looks into folders of artifacts, never into a published folder, which holds no unfinished write. */
async function removeBefore(
  folder: string,
  { before, depth = 0 }: { readonly before: number; readonly depth?: number },
): Promise<void> {
  for (const { name, kind } of entriesOf(folder)) {
    const path = join(folder, name);
    if (isTemporary(name)) {
      if (await removeAbandoned(path, { lock: directoryLock })) continue;
      const modified = (await Deno.lstat(path).catch(onMissing(undefined)))?.mtime?.getTime();
      if (modified === undefined || modified >= before) continue;
      await Deno.remove(path, { recursive: true }).catch(onMissing(undefined));
    } else if (kind === "folder" && depth < partDepth) {
      await removeBefore(path, { before, depth: depth + 1 });
    }
  }
}

function entriesOf(folder: string): FolderEntry[] {
  try {
    return readFolder(folder);
  } catch (error) {
    return onMissing([])(error);
  }
}

async function removeTree(root: string): Promise<number> {
  const bytes = await treeSize(root).catch(onMissing(0));
  await Deno.remove(root, { recursive: true }).catch(onMissing(undefined));
  return bytes;
}

async function treeSize(root: string): Promise<number> {
  const sizes = mapBounded(walkFiles(root, { followLinks: false }), {
    concurrency: 32,
    map: async (path) => (await Deno.lstat(join(root, path)).catch(onMissing(undefined)))?.size,
  });
  let bytes = 0;
  for await (const size of sizes) bytes += size ?? 0;
  return bytes;
}

function onMissing<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Deno.errors.NotFound) return value;
    throw error;
  };
}
