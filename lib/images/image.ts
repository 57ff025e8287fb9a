import { UserError } from "../files/mod.ts";
import sharp from "sharp";
import { type Decoding, decodingOf } from "./_decoding.ts";

/** What decodes and encodes images, and its version: another one may give other bytes. */
export const decoderVersion = `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`;

/** A decoded image: `height` rows of `width` pixels of red, green and blue bytes. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/**
 * A file that is missing, truncated, no image or none that is read. It is a mistake in the data, so a
 * user's; a caller that may leave images out catches this class and reports `id`.
 */
export class UnreadableImageError extends UserError {
  /** The image's id in its set, or its path. */
  readonly id: string;
  /** What is wrong with it, without the name. */
  readonly reason: string;

  constructor(
    id: string,
    reason: string,
    options: ErrorOptions & { readonly remedy?: string } = {},
  ) {
    const { remedy = "Restore the file from the original archive", ...rest } = options;
    super(
      `Cannot read the image ${id}: ${reason}. ${remedy}, or set "unreadable" to "skip" in the ` +
        `dataset's config to leave such images out.`,
      rest,
    );
    this.id = id;
    this.reason = reason;
  }
}

/** Beyond this Pillow warns of a bomb; the largest photograph of ImageNet has 61 million. */
const MAX_PIXELS = 89_478_485;

/**
 * Decodes a JPEG, PNG, WebP, GIF (first frame) or TIFF (first page) file to the pixels that Pillow's
 * `Image.open(file).convert("RGB")` gives: embedded colour profiles are not applied, EXIF orientation
 * in TIFF alone, alpha is dropped, 16-bit colour keeps its high byte, 16-bit grey is clipped at 255,
 * and CMYK is inverted arithmetic. Kinds that have not been found equal are refused by name:
 * `docs/datasets.md` lists them.
 *
 * @throws {UnreadableImageError} naming `id` when the bytes do not decode.
 */
export async function decodeImage(bytes: Uint8Array, id: string): Promise<RgbImage> {
  if (bytes.length === 0) throw new UnreadableImageError(id, "the file is empty");
  const decoding = decodingOf(bytes);
  if ("refused" in decoding) {
    throw new UnreadableImageError(id, `it is ${decoding.refused}`, {
      remedy: "Convert it to PNG",
    });
  }
  try {
    const decoded = await decodeRaw(bytes, decoding);
    switch (decoding.samples) {
      case "cmyk":
        return rgbOfCmyk(decoded);
      case "grey16":
        return rgbOfGrey16(decoded);
      case "rgb":
        return decoded.image;
    }
  } catch (cause) {
    throw new UnreadableImageError(id, reasonOf(cause), { cause });
  }
}

interface Decoded {
  readonly image: RgbImage;
  readonly channels: number;
}

async function decodeRaw(
  bytes: Uint8Array,
  { samples, oriented = false }: Decoding,
): Promise<Decoded> {
  // Pillow reads past a decoder's warnings and stops at its errors and at a truncated file.
  const options = { ignoreIcc: true, failOn: "error", limitInputPixels: MAX_PIXELS } as const;
  let pipeline = sharp(bytes, options).toColourspace(samples === "rgb" ? "srgb" : samples);
  if (oriented) pipeline = pipeline.autoOrient();
  if (samples === "cmyk") pipeline = pipeline.pipelineColourspace("cmyk");
  if (samples === "rgb") pipeline = pipeline.removeAlpha();
  const { data, info } = await pipeline.raw(samples === "grey16" ? { depth: "ushort" } : undefined)
    .toBuffer({ resolveWithObject: true });
  return {
    image: { width: info.width, height: info.height, data },
    channels: info.channels,
  };
}

/** Pillow's CMYK to RGB: (255 - k) - c (255 - k) / 255, rounded. */
function rgbOfCmyk({ image }: Decoded): RgbImage {
  const { width, height, data } = image;
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const light = 255 - data[pixel * 4 + 3]!;
    for (let channel = 0; channel < 3; channel++) {
      const product = data[pixel * 4 + channel]! * light + 128;
      rgb[pixel * 3 + channel] = Math.max(0, light - (((product >> 8) + product) >> 8));
    }
  }
  return { width, height, data: rgb };
}

function rgbOfGrey16({ image, channels }: Decoded): RgbImage {
  const { width, height, data } = image;
  const samples = new Uint16Array(data.buffer, data.byteOffset, width * height * channels);
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    rgb.fill(Math.min(255, samples[pixel * channels]!), pixel * 3, pixel * 3 + 3);
  }
  return { width, height, data: rgb };
}

/** The decoder's own words as one clause. */
function reasonOf(cause: unknown): string {
  const words = cause instanceof Error ? cause.message : String(cause);
  if (words.includes("exceeds pixel limit")) return `it has more than ${MAX_PIXELS} pixels`;
  const [first] = words.replace("Input buffer has corrupt header: ", "").split("\n");
  return first!.replace(/^\w+: /, "").replace(/\.$/, "");
}
