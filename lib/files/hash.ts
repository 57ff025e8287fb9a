import { createHash } from "node:crypto";
import { join } from "node:path";
import { mapBounded } from "./map_bounded.ts";
import { walkFiles } from "./walk.ts";

/** SHA-256 in hexadecimal. */
export function sha256(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Hashes a stream of bytes once, by each of the algorithms; in hexadecimal. */
export async function hashStream<A extends "md5" | "sha1" | "sha256">(
  bytes: AsyncIterable<Uint8Array>,
  algorithms: readonly A[],
): Promise<Record<A, string>> {
  const hashes = algorithms.map((name) => ({ name, hash: createHash(name) }));
  for await (const piece of bytes) {
    for (const { hash } of hashes) hash.update(piece);
  }
  const digests = hashes.map(({ name, hash }) => [name, hash.digest("hex")]);
  return Object.fromEntries(digests) as Record<A, string>;
}

/** The bytes of an open file from where it stands, in pieces that share one buffer. */
export async function* filePieces(file: Deno.FsFile): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(1 << 18);
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    yield buffer.subarray(0, count);
  }
}

/** The content of a file. */
export interface HashedFile {
  readonly bytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

/** Files up to this length are read at once, which is three times as fast as piece by piece. */
const shortFile = 1 << 20;

/**
 * Reads a file and hashes it; memory is bounded whatever its length.
 *
 * @throws {Deno.errors.NotFound} when there is none, and other errors of reading.
 */
export async function hashFile(path: string): Promise<HashedFile> {
  const { size } = await Deno.stat(path);
  if (size <= shortFile) {
    const content = await Deno.readFile(path);
    return { bytes: content.length, sha256: sha256(content) };
  }
  using file = await Deno.open(path);
  let bytes = 0;
  const hash = createHash("sha256");
  for await (const piece of filePieces(file)) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** SHA-256 of a file in hexadecimal; "missing" when there is none. */
export async function fileHash(path: string): Promise<string> {
  try {
    return (await hashFile(path)).sha256;
  } catch (error) {
    const { NotFound, NotADirectory } = Deno.errors;
    if (error instanceof NotFound || error instanceof NotADirectory) return "missing";
    throw error;
  }
}

/** The content of a folder. */
export interface HashedTree {
  readonly files: number;
  readonly bytes: number;
  /** SHA-256 over the lines that `sha256sum` prints for the files, sorted by path. */
  readonly sha256: string;
}

/** How a folder is hashed. */
export interface HashTreeOptions {
  /** How a file is hashed; {@linkcode hashFile} reads it. */
  readonly hash?: (path: string) => Promise<HashedFile>;
  /** Whether a file takes part, by its path relative to the folder. */
  readonly include?: ((path: string) => boolean) | undefined;
  /** Told after every file how much is done. */
  readonly onProgress?:
    | ((done: { readonly files: number; readonly bytes: number }) => void)
    | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Hashes the files below a folder as {@linkcode walkFiles} finds them, several at once.
 *
 * @throws {Deno.errors.NotFound} when there is no such folder, and other errors of reading.
 */
export async function hashTree(
  root: string,
  { hash = hashFile, include = () => true, onProgress, signal }: HashTreeOptions = {},
): Promise<HashedTree> {
  const included = async function* () {
    for await (const path of walkFiles(root)) if (include(path)) yield path;
  };
  let [files, bytes] = [0, 0];
  const tree = createHash("sha256");
  const hashed = mapBounded(included(), {
    concurrency: 32,
    ahead: 256,
    map: async (path) => ({ path, file: await hash(join(root, path)) }),
  });
  for await (const { path, file } of hashed) {
    signal?.throwIfAborted();
    tree.update(lineOf({ path, sha256: file.sha256 }));
    files += 1;
    bytes += file.bytes;
    onProgress?.({ files, bytes });
  }
  return { files, bytes, sha256: tree.digest("hex") };
}

/** The hash of a folder of which each file's hash is known, in any order. */
export function treeHash(
  files: readonly { readonly path: string; readonly sha256: string }[],
): string {
  const tree = createHash("sha256");
  for (const file of files.toSorted((a, b) => a.path < b.path ? -1 : 1)) tree.update(lineOf(file));
  return tree.digest("hex");
}

function lineOf(
  { path, sha256 }: { readonly path: string; readonly sha256: string },
): string {
  return `${sha256}  ${path}\n`;
}
