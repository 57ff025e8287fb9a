import type { Decoding, Refusal } from "./_decoding.ts";

/** Start-of-frame markers: baseline, extended and progressive Huffman coding. */
const huffman = [0xc0, 0xc1, 0xc2];

/** How a JPEG is to be decoded, from its first start-of-frame segment. */
export function jpegDecoding(bytes: Uint8Array): Decoding | Refusal {
  const frame = findFrame(bytes);
  // Without a frame the decoder says what is wrong.
  if (frame === undefined) return { samples: "rgb" };
  const { marker, precision, components } = frame;
  if (!huffman.includes(marker)) return { refused: "a lossless or arithmetic-coded JPEG" };
  if (precision !== 8) return { refused: `a JPEG of ${precision}-bit samples` };
  if (![1, 3, 4].includes(components)) return { refused: `a JPEG of ${components} components` };
  return { samples: components === 4 ? "cmyk" : "rgb" };
}

/** The first frame; bytes between segments are passed over, as libjpeg does. */
function findFrame(bytes: Uint8Array) {
  let offset = 2;
  while (offset + 9 < bytes.length) {
    const marker = bytes[offset] === 0xff ? bytes[offset + 1]! : 0xff;
    if (marker === 0xff) offset += 1;
    else if (hasNoLength(marker)) offset += 2;
    else if (startsFrame(marker)) {
      return { marker, precision: bytes[offset + 4]!, components: bytes[offset + 9]! };
    } else offset += 2 + (bytes[offset + 2]! << 8 | bytes[offset + 3]!);
  }
  return undefined;
}

/** C0 to CF, save the Huffman table (C4), JPG (C8) and the arithmetic table (CC). */
function startsFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

/** A stuffed byte, TEM and the restart markers. */
function hasNoLength(marker: number): boolean {
  return marker <= 1 || (marker >= 0xd0 && marker <= 0xd7);
}
