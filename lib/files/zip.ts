import { crc32 } from "node:zlib";
import type { ByteSource } from "./byte_source.ts";
import { quote } from "./quote.ts";

/** One entry of a zip file, as its central directory describes it. */
export interface ZipEntry {
  /** The path as written, which may be hostile; folders end in "/". */
  readonly name: string;
  readonly kind: "file" | "folder" | "other";
  readonly method: "stored" | "deflated";
  readonly compressedSize: number;
  /** The size that the directory claims; reading checks it. */
  readonly size: number;
  readonly crc: number;
  /** Where the entry's local header begins, and where the next one does. */
  readonly offset: number;
  readonly limit: number;
}

/** Deflate cannot expand more than this (258 bytes from two bits). */
const MAX_EXPANSION = 1032;
/** Packed bytes that are inflated at once: at most sixteen megabytes come of them. */
const CHUNK = 1 << 14;

/**
 * Reads the central directory of a zip or zip64 file. Entries that share bytes, share a name, are
 * encrypted or claim an impossible size are errors; nothing is unpacked yet.
 *
 * @throws {Error} naming the entry and the reason.
 */
export async function readZipDirectory(source: ByteSource): Promise<readonly ZipEntry[]> {
  const { count, offset, size } = await findDirectory(source);
  const directory = await source.read(offset, size);
  const entries: Omit<ZipEntry, "limit">[] = [];
  const names = new Set<string>();
  let position = 0;
  for (let i = 0; i < count; i++) {
    const { entry, end } = readEntry(directory, position);
    if (names.has(entry.name)) throw fault(`the entry ${quote(entry.name)} occurs twice`);
    names.add(entry.name);
    entries.push(entry);
    position = end;
  }
  return withLimits(entries, offset);
}

/**
 * The unpacked bytes of an entry in pieces, checked against the claimed size and CRC-32. Stops at
 * the first byte beyond the claim, so that memory and work stay within it.
 */
export async function* zipEntryChunks(
  source: ByteSource,
  entry: ZipEntry,
): AsyncGenerator<Uint8Array> {
  const start = await dataStart(source, entry);
  let size = 0;
  let crc = 0;
  for await (const chunk of inflated(packedChunks(source, { entry, start }), entry)) {
    size += chunk.length;
    if (size > entry.size) {
      throw fault(`${quote(entry.name)} unpacks to more than ${entry.size} bytes`);
    }
    crc = crc32(chunk, crc);
    yield chunk;
  }
  if (size !== entry.size) {
    throw fault(`${quote(entry.name)} unpacks to ${size} bytes, not ${entry.size}`);
  }
  if (crc !== entry.crc) throw fault(`${quote(entry.name)} is damaged, its CRC-32 does not match`);
}

/** The whole of an entry; a view on the source where that is in memory and the entry is stored. */
export async function readZipEntry(source: ByteSource, entry: ZipEntry): Promise<Uint8Array> {
  if (entry.method === "stored") {
    const bytes = await source.read(await dataStart(source, entry), entry.size);
    if (crc32(bytes) !== entry.crc) {
      throw fault(`${quote(entry.name)} is damaged, its CRC-32 does not match`);
    }
    return bytes;
  }
  return concatenated(await Array.fromAsync(zipEntryChunks(source, entry)), entry.size);
}

function concatenated(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let filled = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  return bytes;
}

async function findDirectory(
  source: ByteSource,
): Promise<{ readonly count: number; readonly offset: number; readonly size: number }> {
  const tailStart = Math.max(0, source.size - 22 - 0xffff);
  const tail = viewOf(await source.read(tailStart, source.size - tailStart));
  for (let at = tail.byteLength - 22; at >= 0; at--) {
    if (tail.getUint32(at, true) !== 0x06054b50) continue;
    if (at + 22 + tail.getUint16(at + 20, true) !== tail.byteLength) continue;
    const end = tailStart + at;
    const found = await findDirectory64(source, end) ?? {
      count: tail.getUint16(at + 10, true),
      size: tail.getUint32(at + 12, true),
      offset: tail.getUint32(at + 16, true),
    };
    if (found.offset + found.size > end || found.count * 46 > found.size) {
      throw fault("the central directory does not fit into the file");
    }
    return found;
  }
  throw fault("there is no end of central directory; the file is cut off or no zip");
}

/** The zip64 record that a locator just before the end record points at, if there is one. */
async function findDirectory64(source: ByteSource, end: number) {
  if (end < 20) return undefined;
  const locator = viewOf(await source.read(end - 20, 20));
  if (locator.getUint32(0, true) !== 0x07064b50) return undefined;
  const at = uint64(locator, 8);
  if (at + 56 > end) throw fault("the zip64 record lies outside of the file");
  const record = viewOf(await source.read(at, 56));
  if (record.getUint32(0, true) !== 0x06064b50) throw fault("the zip64 record is not one");
  return { count: uint64(record, 32), size: uint64(record, 40), offset: uint64(record, 48) };
}

function readEntry(
  directory: Uint8Array,
  position: number,
): { readonly entry: Omit<ZipEntry, "limit">; readonly end: number } {
  if (position + 46 > directory.length) throw fault("the central directory is cut off");
  const view = viewOf(directory.subarray(position));
  if (view.getUint32(0, true) !== 0x02014b50) throw fault("the central directory is malformed");
  const nameLength = view.getUint16(28, true);
  const extraLength = view.getUint16(30, true);
  const end = position + 46 + nameLength + extraLength + view.getUint16(32, true);
  if (end > directory.length) throw fault("the central directory is cut off");
  const name = decodeName(directory.subarray(position + 46, position + 46 + nameLength));
  const extra = viewOf(directory.subarray(position + 46 + nameLength).subarray(0, extraLength));
  const [size, compressedSize, offset] = widened(extra, [
    view.getUint32(24, true),
    view.getUint32(20, true),
    view.getUint32(42, true),
  ]) as [number, number, number];
  if ((view.getUint16(8, true) & 1) !== 0) throw fault(`${quote(name)} is encrypted`);
  const method = ({ 0: "stored", 8: "deflated" } as const)[view.getUint16(10, true)];
  if (method === undefined) {
    throw fault(
      `${quote(name)} is packed by method ${view.getUint16(10, true)}, known are 0 and 8`,
    );
  }
  const possible = method === "stored"
    ? size === compressedSize
    : size <= compressedSize * MAX_EXPANSION;
  if (!possible) {
    throw fault(`${quote(name)} claims ${size} bytes from ${compressedSize}, which is impossible`);
  }
  const kind = kindOf(name, view);
  const crc = view.getUint32(16, true);
  return { entry: { name, kind, method, compressedSize, size, crc, offset }, end };
}

/** Unix archives keep the file's mode in the upper half of the external attributes. */
function kindOf(name: string, header: DataView): ZipEntry["kind"] {
  const madeOnUnix = header.getUint8(5) === 3;
  const format = madeOnUnix ? header.getUint16(40, true) & 0xf000 : 0;
  if (format === 0) return name.endsWith("/") ? "folder" : "file";
  if (format === 0x4000) return "folder";
  return format === 0x8000 ? "file" : "other";
}

/** Fields of 0xffffffff continue in the zip64 extra field, in this order. */
function widened(extra: DataView, fields: readonly number[]): number[] {
  if (!fields.includes(0xffffffff)) return [...fields];
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const length = extra.getUint16(at + 2, true);
    if (extra.getUint16(at, true) === 1) {
      let from = at + 4;
      const wide = fields.filter((field) => field === 0xffffffff).length;
      if (length < 8 * wide || from + 8 * wide > extra.byteLength) break;
      return fields.map((field) => {
        if (field !== 0xffffffff) return field;
        from += 8;
        return uint64(extra, from - 8);
      });
    }
    at += 4 + length;
  }
  throw fault("an entry lacks its zip64 sizes");
}

function withLimits(
  entries: readonly Omit<ZipEntry, "limit">[],
  directoryOffset: number,
): readonly ZipEntry[] {
  const offsets = entries.map((entry) => entry.offset).sort((a, b) => a - b);
  const twice = offsets.findIndex((offset, i) => offset === offsets[i + 1]);
  if (twice >= 0) throw fault(`two entries lie at byte ${offsets[twice]}`);
  const next = new Map(offsets.map((offset, i) => [offset, offsets[i + 1] ?? directoryOffset]));
  return entries.map((entry) => {
    const limit = next.get(entry.offset)!;
    if (entry.offset + 30 + entry.compressedSize > limit) {
      throw fault(`${quote(entry.name)} overlaps the next entry`);
    }
    return { ...entry, limit };
  });
}

async function dataStart(source: ByteSource, entry: ZipEntry): Promise<number> {
  const header = viewOf(await source.read(entry.offset, 30));
  const nameLength = header.getUint16(26, true);
  const start = entry.offset + 30 + nameLength + header.getUint16(28, true);
  if (header.getUint32(0, true) !== 0x04034b50 || start + entry.compressedSize > entry.limit) {
    throw fault(`${quote(entry.name)} has a malformed local header`);
  }
  if (decodeName(await source.read(entry.offset + 30, nameLength)) !== entry.name) {
    throw fault(`${quote(entry.name)} has another name in its local header`);
  }
  return start;
}

async function* packedChunks(
  source: ByteSource,
  { entry, start }: { readonly entry: ZipEntry; readonly start: number },
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const end = start + entry.compressedSize;
  const step = entry.method === "stored" ? 64 * CHUNK : CHUNK;
  for (let at = start; at < end; at += step) {
    yield await source.read(at, Math.min(step, end - at)) as Uint8Array<ArrayBuffer>;
  }
}

async function* inflated(
  packed: AsyncGenerator<Uint8Array<ArrayBuffer>>,
  entry: ZipEntry,
): AsyncGenerator<Uint8Array> {
  if (entry.method === "stored") return yield* packed;
  try {
    yield* ReadableStream.from(packed).pipeThrough(new DecompressionStream("deflate-raw"));
  } catch (cause) {
    throw fault(`${quote(entry.name)} is damaged and does not unpack`, cause);
  }
}

function decodeName(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw fault("an entry's name is not UTF-8", cause);
  }
}

function uint64(view: DataView, offset: number): number {
  const value = view.getBigUint64(offset, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw fault(`a size of ${value} bytes is claimed`);
  return Number(value);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function fault(reason: string, cause?: unknown): Error {
  return new Error(`Reading a zip file: ${reason}.`, { cause });
}
