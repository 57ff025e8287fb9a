import { dirname, join } from "node:path";
import {
  filePieces,
  fileSource,
  type HashedTree,
  hashStream,
  readZipDirectory,
  tarEntries,
  treeHash,
  zipEntryChunks,
} from "../files/mod.ts";

export interface UnpackOptions {
  readonly format: "zip" | "tgz";
  /** The folder in the archive whose content is wanted; the rest is left out. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (files: number, bytes: number) => void;
}

/** Images hardly compress; an archive that unpacks to more is a bomb. */
const MAX_EXPANSION = 20;
const MAX_FILES = 2_000_000;

interface Packed {
  readonly name: string;
  readonly kind: string;
  readonly body: () => AsyncIterable<Uint8Array>;
}

/**
 * Unpacks one folder of an archive to `destination`, which must not exist. Paths that lead out of
 * it, links, devices, repeated files and more bytes than the archive can honestly hold are errors.
 *
 * @throws {Error} naming the entry and the reason; what was written so far stays for the caller to
 * remove.
 */
export async function unpack(
  archive: string,
  destination: string,
  options: UnpackOptions,
): Promise<HashedTree> {
  using file = await Deno.open(archive);
  const { size } = await file.stat();
  const limit = size * MAX_EXPANSION + 1_000_000;
  const entries = options.format === "zip" ? zipped(file) : tarred(file);
  await Deno.mkdir(destination);
  const files: { path: string; sha256: string }[] = [];
  let bytes = 0;
  for await (const { name, kind, body } of entries) {
    options.signal?.throwIfAborted();
    const path = pathBelow(options.folder, name);
    if (path === undefined) continue;
    if (kind === "folder") {
      await Deno.mkdir(join(destination, path), { recursive: true });
      continue;
    }
    if (kind !== "file") throw fault(archive, `"${name}" is a link or device, no file`);
    if (files.length >= MAX_FILES) throw fault(archive, `it holds more than ${MAX_FILES} files`);
    const sha256 = await write(join(destination, path), body(), (length) => {
      bytes += length;
      if (bytes > limit) throw fault(archive, `it unpacks to more than ${limit} bytes`);
    });
    files.push({ path, sha256 });
    options.onProgress?.(files.length, bytes);
  }
  if (files.length === 0) throw fault(archive, `it holds nothing in the folder ${options.folder}`);
  return { files: files.length, bytes, sha256: treeHash(files) };
}

async function* zipped(file: Deno.FsFile): AsyncGenerator<Packed> {
  const source = await fileSource(file);
  for (const entry of await readZipDirectory(source)) {
    const { name, kind } = entry;
    yield { name, kind, body: () => zipEntryChunks(source, entry) };
  }
}

async function* tarred(file: Deno.FsFile): AsyncGenerator<Packed> {
  const packed = ReadableStream.from(copies(file));
  const tar = packed.pipeThrough(new DecompressionStream("gzip"));
  for await (const { name, kind, body } of tarEntries(tar)) yield { name, kind, body: () => body };
}

/** A stream keeps its chunks; the file's buffer is used again. Small, since gzip may expand much. */
async function* copies(file: Deno.FsFile): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const chunk of filePieces(file)) {
    for (let at = 0; at < chunk.length; at += 1 << 14) yield chunk.slice(at, at + (1 << 14));
  }
}

/**
 * The path of an entry below the wanted folder; undefined when it lies elsewhere in the archive or
 * is that folder itself.
 */
function pathBelow(folder: string, name: string): string | undefined {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  const isHostile = name.startsWith("/") || parts.includes("..") ||
    // deno-lint-ignore no-control-regex -- a control character in a path is a trick
    /[\\:\x00-\x1f]/.test(name);
  if (isHostile) throw new Error(`Unpacking: the path ${JSON.stringify(name)} is not allowed.`);
  return parts[0] === folder && parts.length > 1 ? parts.slice(1).join("/") : undefined;
}

/** Writes a new file and returns its SHA-256. */
async function write(
  path: string,
  body: AsyncIterable<Uint8Array>,
  count: (length: number) => void,
): Promise<string> {
  await Deno.mkdir(dirname(path), { recursive: true });
  using file = await Deno.open(path, { write: true, createNew: true });
  const written = async function* () {
    for await (const chunk of body) {
      count(chunk.length);
      for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
      yield chunk;
    }
  };
  return (await hashStream(written(), ["sha256"])).sha256;
}

function fault(archive: string, reason: string): Error {
  return new Error(`Unpacking ${archive}: ${reason}.`);
}
