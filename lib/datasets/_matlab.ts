import { inflateSync } from "node:zlib";

/** A value of a MATLAB file: numbers, a text, or a struct array as a list of its elements. */
export type MatlabValue = readonly number[] | string | readonly MatlabStruct[];
/** One element of a struct array. */
export type MatlabStruct = { readonly [field: string]: MatlabValue };

/** Far above any metadata file; a claimed size beyond it is refused unread. */
const maximumBytes = 1 << 28;

const dataType = { int8: 1, utf8: 16, matrix: 14, compressed: 15 } as const;
const arrayClass = { struct: 2, char: 4, double: 6, uint64: 15 } as const;

/** Readers of a number by data type: its size in bytes and how to read it. */
const numberTypes: Readonly<
  Record<number, readonly [number, (view: DataView, at: number) => number]>
> = {
  1: [1, (view, at) => view.getInt8(at)],
  2: [1, (view, at) => view.getUint8(at)],
  3: [2, (view, at) => view.getInt16(at, true)],
  4: [2, (view, at) => view.getUint16(at, true)],
  5: [4, (view, at) => view.getInt32(at, true)],
  6: [4, (view, at) => view.getUint32(at, true)],
  7: [4, (view, at) => view.getFloat32(at, true)],
  9: [8, (view, at) => view.getFloat64(at, true)],
  12: [8, (view, at) => Number(view.getBigInt64(at, true))],
  13: [8, (view, at) => Number(view.getBigUint64(at, true))],
};

/**
 * The variables of a MATLAB 5 file (little-endian, compressed or not): numeric arrays, texts and
 * struct arrays of them, which is what ImageNet's devkit holds.
 *
 * @throws {Error} saying what in the file is malformed or not one of these.
 */
export function parseMatlab(bytes: Uint8Array): ReadonlyMap<string, MatlabValue> {
  if (bytes.length < 128 || bytes[126] !== 0x49 || bytes[127] !== 0x4d) {
    throw new Error("it is no little-endian MATLAB 5 file");
  }
  const variables = new Map<string, MatlabValue>();
  for (const element of elements(bytes.subarray(128))) {
    const matrix = element.type === dataType.compressed
      ? [...elements(inflateSync(element.data, { maxOutputLength: maximumBytes }))][0]
      : element;
    if (matrix === undefined) throw new Error("a compressed variable is empty");
    const { name, value } = parseMatrix(matrix);
    variables.set(name, value);
  }
  return variables;
}

interface Element {
  readonly type: number;
  readonly data: Uint8Array;
}

/** The tagged elements of a buffer; a tag of up to 4 bytes of data holds them itself. */
function* elements(bytes: Uint8Array): Generator<Element> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  while (offset + 8 <= bytes.length) {
    const word = view.getUint32(offset, true);
    const small = word >>> 16;
    const length = small > 0 ? small : view.getUint32(offset + 4, true);
    const start = offset + (small > 0 ? 4 : 8);
    if (small > 4 || start + length > bytes.length) {
      throw new Error(`an element claims ${length} bytes where ${bytes.length - start} are left`);
    }
    const type = word & 0xffff;
    yield { type, data: bytes.subarray(start, start + length) };
    // Elements are padded to 8 bytes, compressed ones are not.
    const end = small > 0 ? offset + 8 : start + length;
    offset = type === dataType.compressed ? end : Math.ceil(end / 8) * 8;
  }
}

function parseMatrix({ type, data }: Element): { name: string; value: MatlabValue } {
  if (type !== dataType.matrix) throw new Error(`an array is of data type ${type}`);
  if (data.length === 0) return { name: "", value: [] };
  const parts = [...elements(data)];
  const [flags, , name] = parts;
  if (flags === undefined || name === undefined) throw new Error("an array ends in its header");
  return { name: text(name.data), value: parseValue(flags.data[0]!, parts.slice(3)) };
}

function parseValue(kind: number, parts: readonly Element[]): MatlabValue {
  if (kind === arrayClass.struct) return parseStructs(parts);
  const [real] = parts;
  if (kind === arrayClass.char) return real === undefined ? "" : characters(real);
  if (kind < arrayClass.double || kind > arrayClass.uint64) {
    throw new Error(`an array is of class ${kind}; numbers, texts and structs are read`);
  }
  return real === undefined ? [] : numbers(real);
}

/** Fields of all elements in one run, element by element. */
function parseStructs([nameLength, names, ...values]: readonly Element[]): MatlabStruct[] {
  const width = nameLength === undefined ? 0 : numbers(nameLength)[0]!;
  if (names === undefined || !(width > 0)) throw new Error("a struct has no field names");
  const count = Math.floor(names.data.length / width);
  const fields = Array.from(
    { length: count },
    (_, i) => text(names.data.subarray(i * width, (i + 1) * width)).replace(/\0.*$/, ""),
  );
  const structs: MatlabStruct[] = [];
  for (let at = 0; count > 0 && at + count <= values.length; at += count) {
    structs.push(
      Object.fromEntries(fields.map((field, i) => [field, parseMatrix(values[at + i]!).value])),
    );
  }
  return structs;
}

function numbers({ type, data }: Element): number[] {
  const reader = numberTypes[type];
  if (reader === undefined) throw new Error(`numbers are of data type ${type}`);
  const [size, read] = reader;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: Math.floor(data.length / size) }, (_, i) => read(view, i * size));
}

function characters(element: Element): string {
  if (element.type === dataType.utf8 || element.type === dataType.int8) return text(element.data);
  return numbers(element).map((code) => String.fromCharCode(code)).join("");
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
