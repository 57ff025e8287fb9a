import type { Decoding, Refusal } from "./_decoding.ts";

/** Tags of a TIFF's first directory, https://www.loc.gov/preservation/digital/formats/content/tiff_tags.shtml. */
const tag = {
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  orientation: 274,
  samplesPerPixel: 277,
  planarConfiguration: 284,
  tileWidth: 322,
  inkSet: 332,
  extraSamples: 338,
  sampleFormat: 339,
} as const;

const JPEG = 7;
/** None, CCITT (three kinds), LZW, JPEG, deflate, PackBits, deflate by its older number. */
const compressions: readonly number[] = [1, 2, 3, 4, 5, JPEG, 8, 32773, 32946];

/** What of a pixel's make-up decides how it is decoded. */
interface Samples {
  readonly photometric: number | undefined;
  readonly count: number;
  readonly bits: number;
  readonly isJpeg: boolean;
  readonly isPlanar: boolean;
  /** 0: of no meaning, 1: alpha with the colours multiplied by it, 2: alpha. */
  readonly extra: number | undefined;
}

/** How the first image of a TIFF is to be decoded. */
export function tiffDecoding(bytes: Uint8Array): Decoding | Refusal {
  const tags = readTags(bytes);
  if (tags === undefined) return { refused: "a TIFF whose directory is cut off" };
  // The decoder passes over damaged tiles in silence.
  if (tags.has(tag.tileWidth)) return { refused: "a TIFF in tiles" };
  const single = [tag.compression, tag.photometric, tag.orientation, tag.samplesPerPixel];
  if (single.some((number) => (tags.get(number)?.length ?? 1) !== 1)) {
    return { refused: "a TIFF with a tag of several values where one is due" };
  }
  const first = (number: number) => tags.get(number)?.[0];
  const compression = first(tag.compression) ?? 1;
  if (!compressions.includes(compression)) {
    return { refused: `a TIFF of compression ${compression}` };
  }
  const bits = tags.get(tag.bitsPerSample) ?? [1];
  const formats = tags.get(tag.sampleFormat) ?? [1];
  if (formats.some((format) => format !== 1) || bits.some((count) => count !== bits[0])) {
    return { refused: "a TIFF whose samples are no unsigned integers of one width" };
  }
  if ((first(tag.inkSet) ?? 1) !== 1) return { refused: "a TIFF of other inks than CMYK" };
  const extras = tags.get(tag.extraSamples) ?? [];
  if (extras.length > 1) return { refused: "a TIFF of several extra samples" };
  const samples = samplesOf({
    photometric: first(tag.photometric),
    count: first(tag.samplesPerPixel) ?? 1,
    bits: bits[0]!,
    isJpeg: compression === JPEG,
    isPlanar: first(tag.planarConfiguration) === 2,
    extra: extras[0],
  });
  return typeof samples === "string" ? { samples, oriented: true } : samples;
}

function samplesOf(
  { photometric, count, bits, isJpeg, isPlanar, extra }: Samples,
): Decoding["samples"] | Refusal {
  const isPlain = extra === undefined;
  const hasAlpha = (extra === 0 || extra === 2) && !isPlanar && !isJpeg;
  const kinds: Readonly<Record<number, string>> = {
    0: "grey from white to black",
    1: "grey",
    2: "RGB",
    3: "palette",
    5: "CMYK",
    6: "YCbCr",
    8: "Lab",
  };
  switch (photometric) {
    case 0:
      if (count === 1 && isPlain && [1, 2, 4, 8].includes(bits)) return "rgb";
      break;
    case 1:
      if (count === 1 && isPlain && [1, 2, 4, 8].includes(bits)) return "rgb";
      if (count === 1 && isPlain && bits === 16) return "grey16";
      if (count === 2 && hasAlpha && bits === 8) return "rgb";
      break;
    case 2:
      if (count === 3 && isPlain && (bits === 8 || (bits === 16 && !isPlanar))) return "rgb";
      if (count === 4 && hasAlpha && [8, 16].includes(bits)) return "rgb";
      break;
    case 3:
      if (count === 1 && isPlain && [1, 2, 4, 8].includes(bits)) return "rgb";
      break;
    case 5:
      if (count === 4 && isPlain && bits === 8) return "cmyk";
      break;
    case 6:
      if (count === 3 && isPlain && bits === 8 && isJpeg && !isPlanar) return "rgb";
      break;
  }
  const planes = isPlanar ? " in planes" : "";
  const kind = kinds[photometric ?? -1] ?? `photometric ${photometric}`;
  return {
    refused:
      `a TIFF (${kind}, ${count} samples of ${bits} bits${planes}) of a kind that is not read`,
  };
}

/** Bytes of a value by its type: BYTE, ASCII, SHORT, LONG, RATIONAL, and those with a sign. */
const typeSizes: readonly number[] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];
const SHORT = 3;
const LONG = 4;

/** The whole numbers in the tags of the first directory; undefined where a tag lies beyond the file. */
function readTags(bytes: Uint8Array): ReadonlyMap<number, readonly number[]> | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === 0x49;
  if (bytes.length < 8) return undefined;
  const directory = view.getUint32(4, little);
  if (directory + 2 > bytes.length) return undefined;
  const entries = view.getUint16(directory, little);
  if (directory + 2 + entries * 12 > bytes.length) return undefined;
  const tags = new Map<number, readonly number[]>();
  for (let i = 0; i < entries; i++) {
    const at = directory + 2 + i * 12;
    const type = view.getUint16(at + 2, little);
    const count = view.getUint32(at + 4, little);
    const length = (typeSizes[type] ?? 0) * count;
    const from = length <= 4 ? at + 8 : view.getUint32(at + 8, little);
    if (from + length > bytes.length) return undefined;
    // No tag of those that are read here has more values than a pixel has samples.
    tags.set(
      view.getUint16(at, little),
      Array.from({ length: Math.min(count, 8) }, (_, k) => {
        if (type === SHORT) return view.getUint16(from + 2 * k, little);
        return type === LONG ? view.getUint32(from + 4 * k, little) : NaN;
      }),
    );
  }
  return tags;
}
