import { quote } from "../files/mod.ts";
import { type Dtype, itemSize, toFloat32 } from "./dtype.ts";
import { type Tensor, tensor } from "./tensor.ts";

/** What a safetensors file holds. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** The free strings of the header's `__metadata__`; empty when there is none. */
  readonly metadata: Readonly<Record<string, string>>;
}

interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * The longest header that is read, in bytes, some 40,000 tensors. The longest of torchvision's models
 * (efficientnet_v2_l, 1,548 tensors) has 0.16 MB; the 100 MB that the format allows could be made to
 * cost gigabytes of memory.
 */
const MAX_HEADER = 4 << 20;
/** The header, a tensor in it, its shape. */
const MAX_DEPTH = 3;
/** More than any tensor of PyTorch or NumPy has. */
const MAX_DIMENSIONS = 64;

/**
 * Reads a safetensors file: eight bytes of header length (little-endian), a JSON header, the data.
 *
 * Other formats than F32 are converted as {@linkcode toFloat32} says. F32 data that is aligned in
 * memory is a view on `bytes`, not a copy.
 *
 * @throws {Error} naming the tensor and the reason, when the file is not exactly what the format
 * allows: every byte of the data belongs to one tensor, every byte count follows from the shape. Time
 * and memory are linear in the file.
 */
export function readSafetensors(
  bytes: Uint8Array,
  { only = () => true }: { readonly only?: ((name: string) => boolean) | undefined } = {},
): Safetensors {
  const { header, dataStart } = readHeader(bytes);
  const { __metadata__: metadata, ...described } = header;
  const entries = Object.entries(described).map(([name, value]) => readEntry(name, value));
  requireContiguous(entries, bytes.length - dataStart);
  const tensors = new Map<string, Tensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    if (!only(name)) continue;
    const data = bytes.subarray(dataStart + begin, dataStart + end);
    tensors.set(name, tensor(shape, converted(name, { data, dtype })));
  }
  return { tensors, metadata: readMetadata(metadata) };
}

/**
 * Writes tensors as a safetensors file, sorted by name, so that the same tensors give the same
 * bytes. F16 rounds to the nearest even.
 *
 * @throws {RangeError} when a finite number is too large for F16, or the header is longer than is read.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
  options: { readonly dtype: "F32" | "F16" },
): Uint8Array<ArrayBuffer> {
  const { dtype } = options;
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header["__metadata__"] = metadata;
  const sorted = [...tensors].sort(([a], [b]) => a < b ? -1 : 1);
  let end = 0;
  for (const [name, { shape, data }] of sorted) {
    const begin = end;
    end += data.length * itemSize[dtype];
    header[name] = { dtype, shape, data_offsets: [begin, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  // Spaces after the header keep the data aligned to eight bytes, as the format advises.
  const padded = Math.ceil(json.length / 8) * 8;
  if (padded > MAX_HEADER) {
    throw new RangeError(
      `Writing ${tensors.size} tensors as safetensors: their header takes ${padded} bytes, ` +
        `${MAX_HEADER} are read back; write fewer tensors or less metadata.`,
    );
  }
  const bytes = new Uint8Array(8 + padded + end).fill(0x20, 8 + json.length, 8 + padded);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(json, 8);
  let offset = 8 + padded;
  for (const [name, { data }] of sorted) {
    const values = dtype === "F16" ? float16Of(data, name) : data;
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
    offset += values.byteLength;
  }
  return bytes;
}

function readHeader(
  bytes: Uint8Array,
): { readonly header: Record<string, unknown>; readonly dataStart: number } {
  if (bytes.length < 8) {
    throw fault(`the file has ${bytes.length} bytes, too few for the header's length`);
  }
  const length = Number(
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true),
  );
  if (length > MAX_HEADER) {
    throw fault(`the header claims ${length} bytes, ${MAX_HEADER} are allowed`);
  }
  if (8 + length > bytes.length) {
    throw fault(`the header claims ${length} bytes, the file has ${bytes.length}`);
  }
  let text: string;
  let header: unknown;
  const encoded = bytes.subarray(8, 8 + length);
  requireShallow(encoded);
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(encoded);
    header = JSON.parse(text);
  } catch (cause) {
    throw fault("the header is not JSON in UTF-8", cause);
  }
  if (!isObject(header)) throw fault("the header is not a JSON object");
  requireUniqueKeys(text);
  return { header, dataStart: 8 + length };
}

/** A header nests no deeper than a tensor's shape; deeper JSON would cost memory to parse. */
function requireShallow(json: Uint8Array): void {
  const [quotation, backslash] = [0x22, 0x5c];
  const [opening, closing] = [[0x5b, 0x7b], [0x5d, 0x7d]];
  let depth = 0;
  let isText = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]!;
    if (byte === quotation) isText = !isText;
    else if (isText) at += byte === backslash ? 1 : 0;
    else if (opening.includes(byte)) depth++;
    else if (closing.includes(byte)) depth--;
    if (depth > MAX_DEPTH) throw fault(`the header nests deeper than ${MAX_DEPTH} levels`);
  }
}

/** JSON.parse keeps the last of two equal keys; a second tensor of one name must not pass so. */
function requireUniqueKeys(json: string): void {
  const open: Set<string>[] = [];
  const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}]/g;
  for (let token = tokens.exec(json); token !== null; token = tokens.exec(json)) {
    if (token[0] === "{") open.push(new Set());
    else if (token[0] === "}") open.pop();
    else if (token[1] !== undefined) {
      const key = JSON.parse(token[0].slice(0, -token[1].length)) as string;
      if (open.at(-1)!.has(key)) throw fault(`the name ${quote(key)} occurs twice in the header`);
      open.at(-1)!.add(key);
    }
  }
}

function readEntry(name: string, value: unknown): Entry {
  const tensor = `tensor ${quote(name)}`;
  if (!isObject(value)) throw fault(`${tensor} is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDtype(dtype)) {
    const allowed = Object.keys(itemSize).join(", ");
    throw fault(`${tensor} has dtype ${quote(dtype)}; allowed are ${allowed}`);
  }
  if (!isCounts(shape) || shape.length > MAX_DIMENSIONS) {
    throw fault(`${tensor} has shape ${quote(shape)}, not at most ${MAX_DIMENSIONS} extents`);
  }
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    throw fault(`${tensor} has data_offsets ${quote(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  const size = shape.reduce((product, extent) => product * extent, itemSize[dtype]);
  if (size !== end - begin) {
    throw fault(
      `${tensor} of shape ${quote(shape)} in ${dtype} takes ${size} bytes, ` +
        `its data_offsets give ${end - begin}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

/** Neither overlaps nor holes: sorted by offset, each tensor begins where the last one ended. */
function requireContiguous(entries: readonly Entry[], dataLength: number): void {
  let reached = 0;
  for (
    const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)
  ) {
    if (begin !== reached) {
      const what = begin < reached ? "overlaps the tensor before it" : "leaves a hole";
      throw fault(`tensor ${quote(name)} begins at ${begin} and ${what} (${reached})`);
    }
    if (end > dataLength) {
      throw fault(`tensor ${quote(name)} ends at ${end}, the data at ${dataLength}`);
    }
    reached = end;
  }
  if (reached !== dataLength) {
    throw fault(`the tensors end at ${reached}, the data at ${dataLength}`);
  }
}

function converted(
  name: string,
  { data, dtype }: { readonly data: Uint8Array; readonly dtype: Dtype },
): Float32Array {
  try {
    return toFloat32(data, dtype);
  } catch (cause) {
    throw fault(`tensor ${quote(name)}: ${(cause as Error).message.replace(/\.$/, "")}`, cause);
  }
}

function readMetadata(metadata: unknown): Record<string, string> {
  if (metadata === undefined) return {};
  if (!isObject(metadata) || !Object.values(metadata).every((v) => typeof v === "string")) {
    throw fault("__metadata__ is not an object of strings");
  }
  return metadata as Record<string, string>;
}

function float16Of(data: Float32Array, name: string): Float16Array {
  const rounded = Float16Array.from(data);
  const lost = rounded.findIndex((value, i) => !Number.isFinite(value) && Number.isFinite(data[i]));
  if (lost >= 0) {
    throw new RangeError(
      `Writing tensor "${name}" as F16: number ${data[lost]} is beyond 65504; write it as F32.`,
    );
  }
  return rounded;
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === "string" && Object.hasOwn(itemSize, value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function fault(reason: string, cause?: unknown): Error {
  return new Error(`Reading a safetensors file: ${reason}.`, { cause });
}
