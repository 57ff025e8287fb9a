import { UserError } from "../files/mod.ts";
import sharp from "sharp";
import { sampleFormat } from "./_sample_format.ts";

/** A decoded image: `height` rows of `width` pixels of red, green and blue bytes. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/**
 * A file that is missing, truncated or no image. It is a mistake in the data, so a user's; a caller
 * that may leave images out catches this class and reports `id`.
 */
export class UnreadableImageError extends UserError {
  /** The image's id in its set, or its path. */
  readonly id: string;
  /** What is wrong with it, without the name. */
  readonly reason: string;

  constructor(id: string, reason: string, options?: ErrorOptions) {
    super(
      `Cannot read the image ${id}: ${reason}. Restore the file from the original archive, or set ` +
        `"unreadable" to "skip" in the dataset's config to leave such images out.`,
      options,
    );
    this.id = id;
    this.reason = reason;
  }
}

/**
 * Decodes a JPEG, PNG, WebP, GIF (first frame) or TIFF file to the pixels that Pillow's
 * `Image.open(file).convert("RGB")` gives: embedded colour profiles and EXIF orientation are not
 * applied, alpha is dropped, 16-bit colour keeps its high byte, 16-bit grey is clipped at 255, and
 * CMYK is inverted arithmetic.
 *
 * @throws {UnreadableImageError} naming `id` when the bytes do not decode.
 */
export async function decodeImage(bytes: Uint8Array, id: string): Promise<RgbImage> {
  if (bytes.length === 0) throw new UnreadableImageError(id, "the file is empty");
  const format = sampleFormat(bytes);
  if (format === undefined) {
    throw new UnreadableImageError(id, "it is no JPEG, PNG, WebP, GIF or TIFF file");
  }
  try {
    switch (format) {
      case "cmyk":
        return rgbOfCmyk(await decodeRaw(bytes, "cmyk"));
      case "grey16":
        return rgbOfGrey16(await decodeRaw(bytes, "grey16"));
      case "rgb":
        return (await decodeRaw(bytes, "srgb")).image;
    }
  } catch (cause) {
    throw new UnreadableImageError(id, reasonOf(cause), { cause });
  }
}

interface Decoded {
  readonly image: RgbImage;
  readonly channels: number;
}

async function decodeRaw(bytes: Uint8Array, space: "srgb" | "cmyk" | "grey16"): Promise<Decoded> {
  // Pillow reads past a decoder's warnings and stops at its errors and at a truncated file.
  let pipeline = sharp(bytes, { ignoreIcc: true, failOn: "error" }).toColourspace(space);
  if (space === "cmyk") pipeline = pipeline.pipelineColourspace("cmyk");
  if (space === "srgb") pipeline = pipeline.removeAlpha();
  const { data, info } = await pipeline.raw(space === "grey16" ? { depth: "ushort" } : undefined)
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
  const [first] = words.replace("Input buffer has corrupt header: ", "").split("\n");
  return first!.replace(/^\w+: /, "").replace(/\.$/, "");
}
