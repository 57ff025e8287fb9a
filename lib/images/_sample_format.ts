/** Signatures of the formats that are read beside JPEG and PNG: offset and bytes. */
const signatures: readonly (readonly [number, string])[] = [
  [0, "GIF8"],
  [8, "WEBP"],
  [0, "II*\0"],
  [0, "MM\0*"],
];

/**
 * What an encoded image's samples are, read from its header alone: a JPEG of four components is
 * `cmyk`, a 16-bit grey PNG without alpha is `grey16`, everything else decodes to RGB without care.
 * Undefined when it is no JPEG, PNG, WebP, GIF or TIFF file.
 */
export function sampleFormat(bytes: Uint8Array): "cmyk" | "grey16" | "rgb" | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return jpegComponents(bytes) === 4 ? "cmyk" : "rgb";
  if (bytes[0] === 0x89 && startsWith(bytes, "PNG", 1)) {
    // The header chunk comes first: bit depth at byte 24, colour type (0: grey) at byte 25.
    return bytes[24] === 16 && bytes[25] === 0 ? "grey16" : "rgb";
  }
  return signatures.some(([offset, text]) => startsWith(bytes, text, offset)) ? "rgb" : undefined;
}

function startsWith(bytes: Uint8Array, text: string, offset: number): boolean {
  return [...text].every((character, i) => bytes[offset + i] === character.charCodeAt(0));
}

/** The component count in the first start-of-frame segment; 0 when there is none. */
function jpegComponents(bytes: Uint8Array): number {
  let offset = 2;
  while (offset + 9 < bytes.length) {
    if (bytes[offset] !== 0xff) return 0;
    const marker = bytes[offset + 1]!;
    if (marker === 0xff) {
      offset += 1;
      continue;
    }
    // C0 to CF start a frame, save the Huffman table (C4), JPG (C8) and arithmetic table (CC).
    const startsFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (startsFrame) return bytes[offset + 9]!;
    offset += 2 + (bytes[offset + 2]! << 8 | bytes[offset + 3]!);
  }
  return 0;
}
