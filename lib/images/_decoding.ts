import { gifDecoding } from "./_gif_header.ts";
import { jpegDecoding } from "./_jpeg_header.ts";
import { tiffDecoding } from "./_tiff_header.ts";

/** How the decoder is asked for an image so that it gives Pillow's pixels. */
export interface Decoding {
  /** 16-bit grey is not rounded to bytes by the decoder, CMYK not converted. */
  readonly samples: "rgb" | "cmyk" | "grey16";
  /** Whether the orientation in the file is applied; Pillow does so in TIFF files alone. */
  readonly oriented?: boolean;
}

/** Why an image is not read although it may be a whole one. */
export interface Refusal {
  /** Completes "it is". */
  readonly refused: string;
}

/** Formats that are told apart to be named, by what they begin with: offset and bytes. */
const others: readonly (readonly [number, string, string])[] = [
  [0, "BM", "a BMP file"],
  [0, "P1", "a PBM file"],
  [0, "P2", "a PGM file"],
  [0, "P3", "a PPM file"],
  [0, "P4", "a PBM file"],
  [0, "P5", "a PGM file"],
  [0, "P6", "a PPM file"],
  [0, "\0\0\0\fjP  ", "a JPEG 2000 file"],
  [0, "\xff\x4f\xff\x51", "a JPEG 2000 file"],
  [0, "\0\0\0\fJXL ", "a JPEG XL file"],
  [0, "\xff\x0a", "a JPEG XL file"],
  [4, "ftypavi", "an AVIF file"],
  [4, "ftyp", "a HEIF or video file"],
  [0, "II+\0", "a BigTIFF file"],
  [0, "MM\0+", "a BigTIFF file"],
  [0, "\0\0\x01\0", "an icon"],
  [0, "8BPS", "a Photoshop file"],
  [0, "%PDF", "a PDF file"],
  [0, "<svg", "an SVG file"],
  [0, "<?xml", "an XML or SVG file"],
];

/**
 * How an encoded image is to be decoded, from its header alone. Only what gives Pillow's pixels in
 * `tests/images` is decoded; all else is refused by name.
 */
export function decodingOf(bytes: Uint8Array): Decoding | Refusal {
  if (startsWith(bytes, "\xff\xd8")) return jpegDecoding(bytes);
  if (startsWith(bytes, "\x89PNG\r\n\x1a\n")) {
    // The header chunk comes first: bit depth at byte 24, colour type (0: grey) at byte 25.
    return { samples: bytes[24] === 16 && bytes[25] === 0 ? "grey16" : "rgb" };
  }
  if (startsWith(bytes, "RIFF") && startsWith(bytes, "WEBP", 8)) return { samples: "rgb" };
  if (startsWith(bytes, "GIF87a") || startsWith(bytes, "GIF89a")) return gifDecoding(bytes);
  if (startsWith(bytes, "II*\0") || startsWith(bytes, "MM\0*")) return tiffDecoding(bytes);
  const known = others.find(([offset, text]) => startsWith(bytes, text, offset));
  return { refused: known?.[2] ?? "no image file that is known here" };
}

function startsWith(bytes: Uint8Array, text: string, offset = 0): boolean {
  for (let i = 0; i < text.length; i++) {
    if (bytes[offset + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}
