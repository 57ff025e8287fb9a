import { basename, dirname, join } from "node:path";
import {
  isTemporary,
  publishFile,
  quote,
  tarBytes,
  tarEntries,
  type TarEntry,
  type TarFile,
  UserError,
  walkFiles,
  writeAll,
} from "../files/mod.ts";
import { unseal } from "./_sealed_file.ts";
import { folderRecordName, publishDirectory } from "./directory.ts";
import type { StoredStage } from "./inventory.ts";

/**
 * Some stages of a store as the bytes of a tar archive, the record of a published folder before its
 * other files. Equal stages make equal archives.
 */
export function archiveOf(
  root: string,
  stages: readonly StoredStage[],
): AsyncGenerator<Uint8Array> {
  return tarBytes(filesOf(root, stages.flatMap(({ paths }) => paths)));
}

/** How much came out of an archive. */
export interface Imported {
  readonly files: number;
  readonly bytes: number;
}

/**
 * Publishes the artifacts of an archive in the store in `root`; what is there already stays.
 *
 * @throws {UserError} when the archive is damaged or holds what no store wrote.
 */
export async function importArchive(
  root: string,
  archive: AsyncIterable<Uint8Array>,
): Promise<Imported> {
  try {
    return await importEntries(root, filesIn(archive));
  } catch (cause) {
    const isDamage = cause instanceof Error && cause.message.startsWith("Reading a tar archive");
    throw isDamage ? damaged(cause.message.replace(/\.$/, "")) : cause;
  }
}

async function importEntries(
  root: string,
  entries: AsyncGenerator<TarEntry>,
): Promise<Imported> {
  let files = 0;
  let bytes = 0;
  const count = <T extends TarEntry>(entry: T): T => {
    files++;
    bytes += entry.size;
    return entry;
  };
  for (let next = await entries.next(); !next.done;) {
    const entry = count(next.value);
    const path = requireStorePath(entry.name);
    if (basename(path) === folderRecordName) {
      next = await importFolder(join(root, dirname(path)), { first: entry, entries, count });
      continue;
    }
    const file = await bytesOf(entry);
    if (unseal(file) === undefined) throw damaged(`${path} fails its checksum`);
    await publishFile(join(root, path), file);
    next = await entries.next();
  }
  return { files, bytes };
}

/** Reads the entries below a folder and publishes it; returns the first entry after it. */
async function importFolder(
  path: string,
  { first, entries, count }: {
    readonly first: TarEntry;
    readonly entries: AsyncGenerator<TarEntry>;
    readonly count: (entry: TarEntry) => TarEntry;
  },
): Promise<IteratorResult<TarEntry>> {
  const prefix = first.name.slice(0, -folderRecordName.length);
  const recorded = new TextDecoder().decode(await bytesOf(first));
  let next = await entries.next();
  await publishDirectory(path, async (folder) => {
    for (; !next.done && next.value.name.startsWith(prefix); next = await entries.next()) {
      const inside = count(next.value).name.slice(prefix.length);
      if (!isPlainPath(inside)) throw damaged(`${quote(next.value.name)} is no path of a store`);
      const target = join(folder, inside);
      await Deno.mkdir(dirname(target), { recursive: true });
      using file = await Deno.open(target, { write: true, createNew: true });
      for await (const piece of next.value.body) await writeAll(file, piece);
    }
  }, { expected: recorded }).catch((error) => {
    throw error instanceof RangeError ? damaged(error.message) : error;
  });
  return next;
}

async function* filesIn(archive: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  for await (const entry of tarEntries(archive)) {
    if (entry.kind !== "file") throw damaged(`${quote(entry.name)} is no plain file`);
    yield entry;
  }
}

/** A file of the store is held whole, as it is when a stage reads it. */
async function bytesOf({ name, size, body }: TarEntry): Promise<Uint8Array> {
  if (size > maxBytes) throw damaged(`${quote(name)} claims ${size} bytes`);
  const bytes = new Uint8Array(size);
  let filled = 0;
  for await (const piece of body) {
    bytes.set(piece, filled);
    filled += piece.length;
  }
  return bytes;
}

/** No artifact of a store is as large: features and images come in blocks. */
const maxBytes = 2 ** 31;

/** `stage/KE/KEY`, the same with `.record`, or what lies in it. */
const storePath = /^[a-z][a-z0-9_]*\/([0-9a-f]{2})\/([0-9a-f]{64})(\.record|(\/.+)?)$/;

function requireStorePath(name: string): string {
  const [, shard, key] = storePath.exec(name) ?? [];
  if (key === undefined || !key.startsWith(shard!) || !isPlainPath(name)) {
    throw damaged(`${quote(name)} is no path of a store`);
  }
  return name;
}

/** Whether a path leads nowhere else, and is no unfinished write. */
function isPlainPath(path: string): boolean {
  // deno-lint-ignore no-control-regex -- what no artifact has in its name
  return !/[\x00-\x1f\x7f\\]/.test(path) &&
    path.split("/").every((name) =>
      name !== "" && name !== "." && name !== ".." && !isTemporary(name)
    );
}

function damaged(reason: string): UserError {
  return new UserError(
    `The archive of a store is damaged or none: ${reason}. Export it again; what came before is kept.`,
  );
}

async function* filesOf(root: string, paths: readonly string[]): AsyncGenerator<TarFile> {
  for (const path of paths) {
    const { isDirectory } = await Deno.lstat(join(root, path));
    const inside = isDirectory ? await Array.fromAsync(walkFiles(join(root, path))) : [""];
    const first = inside.filter((file) => file === folderRecordName);
    for (const file of [...first, ...inside.filter((name) => name !== folderRecordName)]) {
      using source = await Deno.open(join(root, path, file));
      const { size } = await source.stat();
      yield { name: file === "" ? path : `${path}/${file}`, size, body: piecesOf(source) };
    }
  }
}

async function* piecesOf(file: Deno.FsFile): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(1 << 20);
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    yield buffer.slice(0, count);
  }
}
