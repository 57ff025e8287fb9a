import sharp from "sharp";
import type { Rendered } from "./render.ts";

/** The bytes of a JPEG of high quality, colours at full resolution. */
export function encodeJpeg(image: Rendered): Promise<Uint8Array> {
  const raw = { width: image.width, height: image.height, channels: 3 as const };
  return sharp(image.data, { raw }).jpeg({ quality: 95, chromaSubsampling: "4:4:4" }).toBuffer();
}

/** The bytes of a Broden mask: label number = red + 256 * green, 0 where there is no label. */
export function encodeMask(inside: Uint8Array, label: number): Promise<Uint8Array> {
  const size = Math.sqrt(inside.length);
  const pixels = new Uint8Array(inside.length * 3);
  for (let i = 0; i < inside.length; i++) {
    if (inside[i] === 0) continue;
    pixels[3 * i] = label & 255;
    pixels[3 * i + 1] = label >> 8;
  }
  return sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
    .png({ palette: false, compressionLevel: 6 }).toBuffer();
}

/** Where a coverage (0 to 255, square) is more than half, sampled down to `size` x `size`. */
export function sampleMask(coverage: Uint8Array, size: number): Uint8Array {
  const side = Math.sqrt(coverage.length);
  const inside = new Uint8Array(size * size);
  for (let row = 0, i = 0; row < size; row++) {
    const source = Math.floor((row + 0.5) * side / size) * side;
    for (let column = 0; column < size; column++, i++) {
      inside[i] = coverage[source + Math.floor((column + 0.5) * side / size)]! > 127 ? 1 : 0;
    }
  }
  return inside;
}
