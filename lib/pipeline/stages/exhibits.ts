import type { FeatureRows } from "../../activations/mod.ts";
import type { PreprocessSpec } from "../../config/mod.ts";
import type { Exhibit, Picture } from "../../experiment/mod.ts";
import {
  encodePng,
  type ImageSet,
  outputSize,
  preprocess,
  readImages,
  shownPixels,
} from "../../images/mod.ts";
import { Buffer } from "node:buffer";
import { uniqueNames } from "../classes.ts";
import type { ClassLabels } from "./class_labels.ts";
import type { DatasetFiles } from "./files.ts";
import { type LabelledOf, openLabelled, type ReadableImages } from "./images.ts";
import type { Measurement } from "./measure.ts";

/** What a gallery shows of a cell: pictures, and the numbers of their images. */
export interface Exhibited {
  readonly measurements: readonly (Measurement & { readonly measure: string })[];
  readonly exhibit: Exhibit;
}

/** The test images that a gallery chooses from, and their features in the target model. */
export interface TestImages {
  readonly files: DatasetFiles;
  readonly readable: ReadableImages;
  readonly labels: ClassLabels;
  readonly features0: FeatureRows;
}

/** A picture with the pixels that the model takes, CHW. */
export interface ReadPicture {
  readonly picture: Picture;
  readonly pixels: Float32Array;
}

/** The number of a test image, as runs name it: its place in the split. */
export function imageName({ indices }: ReadableImages, position: number): string {
  return `${indices[position]!}`;
}

/**
 * Reads test images as a model sees them.
 *
 * @param options.positions among those that can be read.
 */
export async function* readPictures(
  { files, readable, labels }: Omit<TestImages, "features0">,
  { of, positions, spec }: {
    readonly of: LabelledOf;
    readonly positions: readonly number[];
    readonly spec: PreprocessSpec;
  },
): AsyncGenerator<ReadPicture> {
  const images: ImageSet = (await openLabelled(of, files)).images;
  const indices = positions.map((position) => readable.indices[position]!);
  const names = uniqueNames(labels.classes);
  let next = 0;
  for await (const read of readImages(images, indices, { unreadable: "fail" })) {
    if ("unreadable" in read) throw read.unreadable;
    const position = positions[next++]!;
    const size = outputSize(spec, read.image);
    const pixels = preprocess(read.image, spec);
    const label = labels.labels[position]!;
    const png = encodePng(shownPixels(pixels, { spec, ...size }));
    yield {
      pixels,
      picture: {
        image: imageName(readable, position),
        class: labels.classes[label]!.id,
        className: names[label]!,
        ...size,
        png: Buffer.from(png).toString("base64"),
      },
    };
  }
}
