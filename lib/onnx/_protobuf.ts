/**
 * The protobuf wire format, driven by a schema: what ONNX files are written in.
 * https://protobuf.dev/programming-guides/encoding/
 */

/** How a field is written: `int64` as a varint, `float` in four bytes, the rest with its length. */
export type FieldType = "int64" | "float" | "string" | "bytes" | Schema;

/** A field's number, its type and whether it is a list. */
export interface Field {
  readonly number: number;
  readonly type: FieldType;
  readonly repeated?: boolean;
}

/** A message's fields by name. */
export interface Schema {
  readonly [name: string]: Field;
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

/** Encodes a message. Fields that are undefined are left out; bytes are copied once, at the end. */
export function encode(message: object, schema: Schema): Uint8Array {
  const chunks = messageChunks(message, schema);
  const bytes = new Uint8Array(totalLength(chunks));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

/**
 * Decodes a message; fields that the schema does not name are skipped. Repeated fields are always
 * present, others only when written. `bytes` fields are views on the input.
 *
 * @throws {RangeError} when the bytes end too early or hold a wire type that protobuf does not use.
 */
export function decode(bytes: Uint8Array, schema: Schema): Record<string, unknown> {
  const fields = new Map(Object.entries(schema).map(([name, f]) => [f.number, { name, ...f }]));
  const message: Record<string, unknown> = {};
  for (const [name, { repeated }] of Object.entries(schema)) if (repeated) message[name] = [];
  const reader = createReader(bytes);
  while (!reader.done()) {
    const key = Number(reader.varint());
    const [field, wire] = [fields.get(Math.floor(key / 8)), key % 8];
    if (field === undefined) reader.skip(wire);
    else if (!field.repeated) message[field.name] = readValue(reader, wire, field.type);
    else {
      const list = message[field.name] as unknown[];
      if (wire === LENGTH && (field.type === "int64" || field.type === "float")) {
        const packed = createReader(reader.bytes());
        const one = field.type === "int64" ? VARINT : FIXED32;
        while (!packed.done()) list.push(readValue(packed, one, field.type));
      } else list.push(readValue(reader, wire, field.type));
    }
  }
  return message;
}

function messageChunks(message: object, schema: Schema): Uint8Array[] {
  return Object.entries(message).flatMap(([name, value]) => {
    const field = schema[name];
    if (field === undefined) throw new TypeError(`A protobuf message has no field "${name}".`);
    if (value === undefined) return [];
    if (!field.repeated) return valueChunks(value, field);
    const packed = packedList(value, field.type);
    return packed === undefined
      ? value.flatMap((item: unknown) => valueChunks(item, field))
      : valueChunks(packed, { ...field, type: "bytes" });
  });
}

/** A list of numbers as one field, which takes fewer bytes and less time than a field for each. */
function packedList(list: readonly number[], type: FieldType): Uint8Array | undefined {
  if (list.length === 0) return undefined;
  if (type === "float") return new Uint8Array(Float32Array.from(list).buffer);
  return type === "int64"
    ? Uint8Array.from(list.flatMap((value) => [...varint(value)]))
    : undefined;
}

function valueChunks(value: unknown, { number, type }: Field): Uint8Array[] {
  if (type === "int64") return [varint(number * 8 + VARINT), varint(value as number)];
  if (type === "float") {
    return [varint(number * 8 + FIXED32), new Uint8Array(Float32Array.of(value as number).buffer)];
  }
  const chunks = type === "string"
    ? [new TextEncoder().encode(value as string)]
    : type === "bytes"
    ? [value as Uint8Array]
    : messageChunks(value as object, type);
  return [varint(number * 8 + LENGTH), varint(totalLength(chunks)), ...chunks];
}

function totalLength(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((length, chunk) => length + chunk.length, 0);
}

/** 64 bits of a whole number. The greatest, which stands for "to the end", is no double. */
export function int64(value: number): bigint {
  return value >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(value);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, int64(value));
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Uint8Array.of(...bytes, Number(rest));
}

interface Reader {
  done(): boolean;
  varint(): bigint;
  float(): number;
  bytes(): Uint8Array;
  skip(wire: number): void;
}

function createReader(source: Uint8Array): Reader {
  let offset = 0;
  const take = (length: number) => {
    if (offset + length > source.length) {
      throw new RangeError(`A protobuf field of ${length} bytes at byte ${offset} is cut off.`);
    }
    offset += length;
    return source.subarray(offset - length, offset);
  };
  const readVarint = () => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = take(1)[0]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError(`A protobuf number before byte ${offset} has more than ten bytes.`);
  };
  const bytes = () => take(Number(readVarint()));
  return {
    done: () => offset === source.length,
    varint: readVarint,
    float: () => {
      const word = take(4);
      return new DataView(word.buffer, word.byteOffset).getFloat32(0, true);
    },
    bytes,
    skip(wire) {
      if (wire === VARINT) readVarint();
      else if (wire === FIXED64) take(8);
      else if (wire === LENGTH) bytes();
      else if (wire === FIXED32) take(4);
      else throw new RangeError(`Protobuf wire type ${wire} before byte ${offset} is not in use.`);
    },
  };
}

function readValue(reader: Reader, wire: number, type: FieldType): unknown {
  const expected = type === "int64" ? VARINT : type === "float" ? FIXED32 : LENGTH;
  if (wire !== expected) {
    throw new RangeError(`A protobuf field has wire type ${wire} where ${expected} is due.`);
  }
  if (type === "int64") return Number(BigInt.asIntN(64, reader.varint()));
  if (type === "float") return reader.float();
  if (type === "bytes") return reader.bytes();
  if (type === "string") return new TextDecoder().decode(reader.bytes());
  return decode(reader.bytes(), type);
}
