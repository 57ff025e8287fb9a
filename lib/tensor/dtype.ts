/** Number formats of weight files, by their safetensors names. */
export type Dtype =
  | "F16"
  | "BF16"
  | "F32"
  | "F64"
  | "I8"
  | "I16"
  | "I32"
  | "I64"
  | "U8"
  | "U16"
  | "U32"
  | "U64"
  | "BOOL";

/** Bytes per number of each format. */
export const itemSize: Readonly<Record<Dtype, number>> = {
  F16: 2,
  BF16: 2,
  F32: 4,
  F64: 8,
  I8: 1,
  I16: 2,
  I32: 4,
  I64: 8,
  U8: 1,
  U16: 2,
  U32: 4,
  U64: 8,
  BOOL: 1,
};

/**
 * Little-endian numbers of a format as float32. F64 and integers beyond 2^24 round to the nearest
 * float32, halves to the even one; BOOL is 1 where the byte is not 0. F32 that is aligned in memory
 * is a view on `bytes`, not a copy.
 *
 * @throws {RangeError} when `bytes` does not hold a whole number of items, or a finite F64 is too
 * large for float32.
 */
export function toFloat32(bytes: Uint8Array, dtype: Dtype): Float32Array {
  if (bytes.length % itemSize[dtype] !== 0) {
    throw new RangeError(`${bytes.length} bytes are no whole number of ${dtype} items.`);
  }
  if (dtype === "F32" && bytes.byteOffset % 4 === 0) {
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }
  const { buffer } = bytes.slice();
  switch (dtype) {
    case "F16":
      return new Float32Array(new Float16Array(buffer));
    case "BF16": {
      const bits = Uint32Array.from(new Uint16Array(buffer), (high) => high << 16);
      return new Float32Array(bits.buffer);
    }
    case "F32":
      return new Float32Array(buffer);
    case "F64":
      return rounded(new Float64Array(buffer));
    case "I8":
      return new Float32Array(new Int8Array(buffer));
    case "I16":
      return new Float32Array(new Int16Array(buffer));
    case "I32":
      return new Float32Array(new Int32Array(buffer));
    case "I64":
      return Float32Array.from(new BigInt64Array(buffer), nearest);
    case "U8":
      return new Float32Array(bytes);
    case "U16":
      return new Float32Array(new Uint16Array(buffer));
    case "U32":
      return new Float32Array(new Uint32Array(buffer));
    case "U64":
      return Float32Array.from(new BigUint64Array(buffer), nearest);
    case "BOOL":
      return Float32Array.from(bytes, (byte) => byte === 0 ? 0 : 1);
  }
}

function rounded(exact: Float64Array): Float32Array {
  const values = new Float32Array(exact);
  const lost = values.findIndex((value, i) => !Number.isFinite(value) && Number.isFinite(exact[i]));
  if (lost < 0) return values;
  throw new RangeError(`the float64 ${exact[lost]} is beyond float32, whose largest is 3.4e38.`);
}

/**
 * A 64-bit integer as the nearest float32. Rounding first to float64 and then to float32 could miss
 * it by one step, so bits that only tell which side of a half the number lies on are kept as one.
 */
function nearest(value: bigint): number {
  if (-SAFE <= value && value <= SAFE) return Number(value);
  const odd = (value & 0xfffn) === 0n ? 0n : 0x1000n;
  return Number((value & ~0xfffn) | odd);
}

const SAFE = BigInt(Number.MAX_SAFE_INTEGER);
