import { crc32, deflateSync } from "node:zlib";

/** Pixels of a PNG: `height` rows of `width` pixels of 3 bytes (RGB) or 4 (and alpha). */
export interface PngPixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * The bytes of a PNG of 8 bits a channel (ISO/IEC 15948). Each row has the filter that leaves the
 * least sum of magnitudes, as the standard recommends. The same pixels give the same bytes.
 *
 * @throws {RangeError} when the data is neither 3 nor 4 bytes a pixel.
 */
export function encodePng({ width, height, data }: PngPixels): Uint8Array {
  const channels = data.length / (width * height);
  if (!(width > 0 && height > 0 && (channels === 3 || channels === 4))) {
    throw new RangeError(`A PNG of ${width} x ${height} pixels with ${data.length} bytes.`);
  }
  const stride = width * channels;
  const rows = new Uint8Array(height * (stride + 1));
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * stride, (y + 1) * stride);
    const above = y === 0 ? new Uint8Array(stride) : data.subarray((y - 1) * stride, y * stride);
    rows.set(filtered(row, { above, channels }), y * (stride + 1));
  }
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8);
  header.setUint8(9, channels === 3 ? 2 : 6);
  const parts = [
    Uint8Array.from(signature),
    chunk("IHDR", new Uint8Array(header.buffer)),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", new Uint8Array()),
  ];
  const png = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    png.set(part, at);
    at += part.length;
  }
  return png;
}

/** What a byte is predicted to be by those left of it, above it, and above the left one. */
const predictors: readonly ((left: number, above: number, corner: number) => number)[] = [
  () => 0,
  (left) => left,
  (_, above) => above,
  (left, above) => (left + above) >> 1,
  paeth,
];

function paeth(left: number, above: number, corner: number): number {
  const guess = left + above - corner;
  const [toLeft, toAbove, toCorner] = [left, above, corner].map((one) => Math.abs(guess - one));
  if (toLeft! <= toAbove! && toLeft! <= toCorner!) return left;
  return toAbove! <= toCorner! ? above : corner;
}

/** A row behind the number of its filter. */
function filtered(
  row: Uint8Array,
  { above, channels }: { readonly above: Uint8Array; readonly channels: number },
): Uint8Array {
  let best = new Uint8Array();
  let least = Infinity;
  for (const [number, predict] of predictors.entries()) {
    const bytes = new Uint8Array(row.length + 1);
    bytes[0] = number;
    let sum = 0;
    for (let i = 0; i < row.length; i++) {
      const [left, corner] = i < channels ? [0, 0] : [row[i - channels]!, above[i - channels]!];
      const byte = (row[i]! - predict(left, above[i]!, corner)) & 255;
      bytes[i + 1] = byte;
      sum += Math.min(byte, 256 - byte);
    }
    if (sum < least) [best, least] = [bytes, sum];
  }
  return best;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(data.length + 8, crc32(bytes.subarray(4, data.length + 8)));
  return bytes;
}
