import type { WorldConfig } from "../config/mod.ts";
import { createRandom } from "../tensor/mod.ts";
import { type WorldClass, worldClasses } from "./classes.ts";
import { encodeJpeg } from "./_encode.ts";
import { factorsHeader, factorsRow } from "./_factors_csv.ts";
import { type ObjectImage, objectImages } from "./_object_images.ts";
import { renderImage } from "./render.ts";
import { writeAll, writeUnder } from "./_write.ts";

/** One image of the world's ImageNet. */
export interface ImageNetImage extends ObjectImage<WorldClass> {
  /** The file below the dataset's folder. */
  readonly path: string;
}

/** The images of a split, class by class. The scenes of val are independent of the class. */
export function imageNetImages(
  config: WorldConfig,
  split: "train" | "val",
): readonly ImageNetImage[] {
  const { trainPerClass, valPerClass, sceneCorrelation } = config.imagenet;
  const classes = worldClasses();
  const positions = new Map(classes.map(({ id }, position) => [id, position]));
  return objectImages(classes, {
    stream: createRandom(config.seed).split("imagenet").split(split),
    count: split === "train" ? trainPerClass : valPerClass,
    correlation: split === "train" ? sceneCorrelation : 0,
  }).map((image) => {
    const { id } = image.class;
    const number = image.index * classes.length + positions.get(id)! + 1;
    const file = split === "train"
      ? `${id}_${image.index + 1}`
      : `ILSVRC2012_val_${String(number).padStart(8, "0")}`;
    return { ...image, path: `${split}/${id}/${file}.JPEG` };
  });
}

/** Writes train, val, LOC_synset_mapping.txt and factors.csv under `root`. */
export async function writeImageNet(
  root: string,
  { config, onDone }: { config: WorldConfig; onDone: () => void },
): Promise<void> {
  const images = [...imageNetImages(config, "train"), ...imageNetImages(config, "val")];
  const write = async ({ path, class: of, factors, random }: ImageNetImage) => {
    const { imageSize: size, imagenet: { shift } } = config;
    const rendered = renderImage(factors, { random, size, shift });
    await writeUnder(root, { path, bytes: await encodeJpeg(rendered) });
    return factorsRow({ name: path, class: of.id }, { factors, rendered });
  };
  const rows = await writeAll(images, { write, onDone });
  await writeUnder(root, { path: "factors.csv", bytes: [factorsHeader, ...rows] });
  await writeUnder(root, {
    path: "LOC_synset_mapping.txt",
    bytes: worldClasses().map(({ id, name, synonym }) => `${id} ${name}, ${synonym}`),
  });
}
