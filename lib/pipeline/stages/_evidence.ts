import type { Evidence } from "../../cav/mod.ts";
import type { PreprocessSpec } from "../../config/mod.ts";
import { encodePng, type ImageSet, preprocess, shownPixels } from "../../images/mod.ts";

/** Side of a thumbnail in pixels. */
const side = 64;
const thumbnail: PreprocessSpec = {
  resize: { shorter: side },
  interpolation: "bilinear",
  crop: side,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

/** An image of one of several sources. */
export interface SourcedImage {
  readonly images: ImageSet;
  readonly index: number;
}

/** A picture of one concept: thumbnails in rows of one length. */
export interface EvidenceSheet {
  readonly name: string;
  readonly rows: readonly (readonly SourcedImage[])[];
}

/** Draws sheets of thumbnails; an image that several show is decoded once. */
export async function* drawEvidence(
  sheets: Iterable<EvidenceSheet>,
): AsyncGenerator<Evidence> {
  const known = new Map<ImageSet, Map<number, Uint8Array>>();
  const pixelsOf = async ({ images, index }: SourcedImage) => {
    const ofSet = known.get(images) ?? new Map<number, Uint8Array>();
    known.set(images, ofSet);
    const pixels = ofSet.get(index) ?? await drawThumbnail(images, index);
    ofSet.set(index, pixels);
    return pixels;
  };
  for (const { name, rows } of sheets) {
    const columns = Math.max(...rows.map(({ length }) => length));
    if (columns < 1) continue;
    const [width, height] = [columns * side, rows.length * side];
    const data = new Uint8Array(3 * width * height).fill(255);
    for (const [y, row] of rows.entries()) {
      for (const [x, image] of row.entries()) {
        const pixels = await pixelsOf(image);
        for (let line = 0; line < side; line++) {
          const to = 3 * ((y * side + line) * width + x * side);
          data.set(pixels.subarray(3 * line * side, 3 * (line + 1) * side), to);
        }
      }
    }
    yield { name, bytes: encodePng({ width, height, data }) };
  }
}

async function drawThumbnail(images: ImageSet, index: number): Promise<Uint8Array> {
  const image = await images.decode(await images.read(index), images.ids[index]!);
  const size = { width: side, height: side };
  return shownPixels(preprocess(image, thumbnail), { spec: thumbnail, ...size }).data;
}
