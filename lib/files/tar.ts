import { quote } from "./quote.ts";

/** One entry of a tar archive. */
export interface TarEntry {
  /** The path as written, which may be hostile. */
  readonly name: string;
  readonly kind: "file" | "folder" | "link" | "other";
  /** Bytes of the body. */
  readonly size: number;
  /** The body in pieces; what is left unread is skipped when the next entry is asked for. */
  readonly body: AsyncGenerator<Uint8Array>;
}

const BLOCK = 512;
/** No path and no list of attributes is longer than this. */
const MAX_EXTENSION = 1 << 16;

/**
 * The entries of a tar archive (ustar, GNU long names, PAX) in the order of the archive, without
 * holding more than one piece of it in memory.
 *
 * @throws {Error} when a header's checksum, a size or the archive's end is wrong.
 */
export async function* tarEntries(archive: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const input = new BlockReader(archive);
  let extended: Extension = {};
  while (true) {
    const header = await input.take(BLOCK);
    // Two blocks of zeros end an archive; one, or none at a block's boundary, is seen too.
    if (header === undefined || header.every((byte) => byte === 0)) return;
    const read = readHeader(header);
    const padded = Math.ceil(read.size / BLOCK) * BLOCK;
    if ("xgLK".includes(read.type)) {
      if (read.size > MAX_EXTENSION) throw fault(`an extension claims ${read.size} bytes`);
      const body = (await required(input, padded)).subarray(0, read.size);
      extended = { ...extended, ...readExtension(read.type, body) };
      continue;
    }
    const { name = read.name, size = read.size } = extended;
    extended = {};
    // A size from PAX may differ from the header's, which then is zero or cut.
    const section = { name, size, left: Math.ceil(size / BLOCK) * BLOCK };
    yield { name, kind: kinds[read.type] ?? "other", size, body: bodyOf(input, section) };
    for await (const _ of input.pieces(section.left));
  }
}

interface Extension {
  readonly name?: string;
  readonly size?: number;
}

const kinds: Readonly<Record<string, TarEntry["kind"]>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "1": "link",
  "2": "link",
  "5": "folder",
};

/** What of an entry the stream still holds: `left` counts down, padding included. */
interface Section {
  readonly name: string;
  readonly size: number;
  left: number;
}

async function* bodyOf(input: BlockReader, section: Section): AsyncGenerator<Uint8Array> {
  let unread = section.size;
  try {
    for await (const piece of input.pieces(section.left)) {
      section.left -= piece.length;
      const body = piece.subarray(0, unread);
      unread -= body.length;
      if (body.length > 0) yield body;
    }
  } catch (cause) {
    throw fault(`the archive ends inside ${quote(section.name)}`, cause);
  }
}

function readHeader(
  header: Uint8Array,
): { readonly name: string; readonly size: number; readonly type: string } {
  const claimed = octal(header.subarray(148, 156));
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 0x20 : header[i]!;
  if (sum !== claimed) throw fault("a header's checksum does not match");
  const isUstar = text(header.subarray(257, 262)) === "ustar";
  const prefix = isUstar && header[263] === 0x30 ? text(header.subarray(345, 500)) : "";
  const name = text(header.subarray(0, 100));
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    size: readSize(header.subarray(124, 136)),
    type: String.fromCharCode(header[156]!),
  };
}

function readExtension(type: string, body: Uint8Array): Extension {
  if (type === "L") return { name: text(body) };
  if (type !== "x") return {};
  const extension: { name?: string; size?: number } = {};
  for (let at = 0; at < body.length;) {
    const record = /^(\d+) ([^=]+)=/.exec(latin1(body.subarray(at, at + 256)));
    const length = Number(record?.[1]);
    if (record === null || !(length > record[0].length) || at + length > body.length) {
      throw fault("a PAX header is malformed");
    }
    const value = text(body.subarray(at + record[0].length, at + length - 1));
    if (record[2] === "path") extension.name = value;
    if (record[2] === "size") extension.size = safeSize(Number(value));
    at += length;
  }
  return extension;
}

/** Octal digits, or GNU's big-endian binary marked by the first bit. */
function readSize(field: Uint8Array): number {
  if ((field[0]! & 0x80) === 0) return safeSize(octal(field));
  return safeSize(field.subarray(1).reduce((value, byte) => value * 256 + byte, 0));
}

function safeSize(size: number): number {
  if (!Number.isSafeInteger(size) || size < 0) throw fault(`a size of ${size} bytes is claimed`);
  return size;
}

function octal(field: Uint8Array): number {
  const digits = text(field).trim();
  if (!/^[0-7]*$/.test(digits)) throw fault(`${quote(digits)} is no octal number`);
  return parseInt(digits || "0", 8);
}

function text(field: Uint8Array): string {
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

async function required(input: BlockReader, length: number): Promise<Uint8Array> {
  const bytes = await input.take(length);
  if (bytes === undefined) throw fault("the archive is cut off");
  return bytes;
}

/** Cuts a stream of pieces of any size into the lengths that the format asks for. */
class BlockReader {
  readonly #stream: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(archive: AsyncIterable<Uint8Array>) {
    this.#stream = archive[Symbol.asyncIterator]();
  }

  /** Exactly `length` bytes, or undefined when the stream ended just before them. */
  async take(length: number): Promise<Uint8Array | undefined> {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const piece = await this.#next(length - filled);
      if (piece === undefined && filled === 0) return undefined;
      if (piece === undefined) throw fault("the archive is cut off");
      bytes.set(piece, filled);
      filled += piece.length;
    }
    return bytes;
  }

  /** The next `length` bytes in the pieces in which they come. */
  async *pieces(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0;) {
      const piece = await this.#next(left);
      if (piece === undefined) throw fault("the archive is cut off");
      left -= piece.length;
      yield piece;
    }
  }

  async #next(atMost: number): Promise<Uint8Array | undefined> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#stream.next();
      if (done) return undefined;
      this.#rest = value;
    }
    const piece = this.#rest.subarray(0, atMost);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }
}

function fault(reason: string, cause?: unknown): Error {
  return new Error(`Reading a tar archive: ${reason}.`, { cause });
}
