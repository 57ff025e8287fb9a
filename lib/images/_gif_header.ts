import type { Decoding, Refusal } from "./_decoding.ts";

/**
 * How a GIF's first frame is to be decoded. Where it has a transparent colour or leaves a part of the
 * screen bare, the decoder fills in another colour than Pillow.
 */
export function gifDecoding(bytes: Uint8Array): Decoding | Refusal {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Where the file is cut off, the decoder says so.
  const decoded: Decoding = { samples: "rgb" };
  if (bytes.length < 13) return decoded;
  const screen = [0, 0, view.getUint16(6, true), view.getUint16(8, true)];
  const hasTable = (bytes[10]! & 0x80) !== 0;
  let at = 13 + (hasTable ? tableLength(bytes[10]!) : 0);
  while (bytes[at] === 0x21) {
    const isControl = bytes[at + 1] === 0xf9;
    if (isControl && (bytes[at + 3]! & 1) !== 0) {
      return { refused: "a GIF with a transparent colour" };
    }
    at += 2;
    while (at < bytes.length && bytes[at] !== 0) at += 1 + bytes[at]!;
    at += 1;
  }
  if (bytes[at] !== 0x2c || at + 10 > bytes.length) return decoded;
  const frame = [1, 3, 5, 7].map((offset) => view.getUint16(at + offset, true));
  if (!hasTable && (bytes[at + 9]! & 0x80) === 0) {
    return { refused: "a GIF without a colour table" };
  }
  const fills = frame.every((value, i) => value === screen[i]);
  return fills ? decoded : { refused: "a GIF whose first frame does not fill it" };
}

/** Bytes of a colour table, from the flags that announce it. */
function tableLength(flags: number): number {
  return 3 << ((flags & 7) + 1);
}
