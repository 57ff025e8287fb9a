import { createHash } from "node:crypto";
import { join } from "node:path";
import { isTemporary, writeFileAtomically } from "../files/mod.ts";
import { type DirectoryRecord, openDirectory, publishDirectory } from "./directory.ts";

/** The address of an artifact: the stage that makes it and the hash of all that its bytes depend on. */
export interface ArtifactRef {
  readonly stage: string;
  readonly key: string;
  /** Names one of several artifacts of a stage, such as a chunk of rows. */
  readonly part?: string;
}

/**
 * Artifacts on disk. Several processes may share one: an artifact appears whole, by a rename, and
 * equal addresses hold equal bytes, so the last writer of two changes nothing.
 */
export interface Store {
  readonly root: string;
  /** Whether an artifact is there; its bytes are not read. */
  has(ref: ArtifactRef): Promise<boolean>;
  /** The bytes, or `undefined` when the artifact is missing or corrupt; a corrupt one is removed. */
  read(ref: ArtifactRef): Promise<Uint8Array | undefined>;
  /** Publishes an artifact. */
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
  /** Removes what killed processes began to write and did not finish, if it is older than `age`. */
  removeUnfinished(age: { readonly milliseconds: number }): Promise<void>;
  /** Removes every artifact and unfinished write; returns the bytes freed. */
  clean(): Promise<number>;
}

/** What the store tells its owner. */
export interface StoreEvents {
  /** An artifact failed its checksum and was removed; whoever needs it computes it again. */
  readonly onCorrupt?: (path: string) => void;
}

const digestLength = 32;

/** How deep the parts of an artifact lie: stage, two digits of the key, key. */
const partDepth = 3;

/**
 * Opens the store in a folder, which need not exist. An artifact file is the SHA-256 of its payload
 * followed by the payload.
 */
export function openStore(root: string, { onCorrupt = () => {} }: StoreEvents = {}): Store {
  const pathOf = ({ stage, key, part }: ArtifactRef) =>
    join(root, stage, key.slice(0, 2), part === undefined ? key : join(key, part));
  const discard = async (path: string) => {
    onCorrupt(path);
    await Deno.remove(path, { recursive: true }).catch(onMissing(undefined));
  };
  const verified = new Map<string, DirectoryRecord>();
  return {
    root,
    has: (ref) => Deno.lstat(pathOf(ref)).then(() => true, onMissing(false)),
    read: async (ref) => {
      const path = pathOf(ref);
      const file = await Deno.readFile(path).catch(onMissing(undefined));
      if (file === undefined) return undefined;
      const payload = file.subarray(digestLength);
      if (digest(payload).equals(file.subarray(0, digestLength))) return payload;
      await discard(path);
      return undefined;
    },
    write: (ref, bytes) => writeFileAtomically(pathOf(ref), digest(bytes), bytes),
    openDirectory: async (ref) => {
      const path = pathOf(ref);
      const known = verified.get(path);
      if (known !== undefined) return known;
      const opened = await openDirectory(path);
      if (opened === "corrupt") await discard(path);
      if (typeof opened !== "object") return undefined;
      verified.set(path, opened);
      return opened;
    },
    publishDirectory: (ref, fill) => publishDirectory(pathOf(ref), fill),
    removeUnfinished: ({ milliseconds }) =>
      removeUnfinished(root, { before: Date.now() - milliseconds }),
    clean: () => removeTree(root),
  };
}

/** Looks into folders of artifacts, never into a published folder, which holds no unfinished write. */
async function removeUnfinished(
  folder: string,
  { before, depth = 0 }: { readonly before: number; readonly depth?: number },
): Promise<void> {
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch(onMissing([]));
  for (const { name, isDirectory } of entries) {
    const path = join(folder, name);
    if (isTemporary(name)) {
      const modified = (await Deno.lstat(path).catch(onMissing(undefined)))?.mtime?.getTime();
      if (modified === undefined || modified >= before) continue;
      await Deno.remove(path, { recursive: true }).catch(onMissing(undefined));
    } else if (isDirectory && depth < partDepth) {
      await removeUnfinished(path, { before, depth: depth + 1 });
    }
  }
}

async function removeTree(root: string): Promise<number> {
  const bytes = await treeSize(root);
  await Deno.remove(root, { recursive: true }).catch(onMissing(undefined));
  return bytes;
}

async function treeSize(path: string): Promise<number> {
  const info = await Deno.lstat(path).catch(onMissing(undefined));
  if (info === undefined) return 0;
  if (!info.isDirectory) return info.size;
  let bytes = 0;
  for await (const entry of Deno.readDir(path)) bytes += await treeSize(join(path, entry.name));
  return bytes;
}

function digest(payload: Uint8Array) {
  return createHash("sha256").update(payload).digest();
}

function onMissing<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Deno.errors.NotFound) return value;
    throw error;
  };
}
