import type { WorldConfig } from "../config/mod.ts";
import { createRandom } from "../tensor/mod.ts";
import { attributeFiles, boundingBox } from "./_cub200_annotations.ts";
import { encodeJpeg } from "./_encode.ts";
import { factorsHeader, factorsRow } from "./_factors_csv.ts";
import { type Colour, noFactors, type Scene, type Shape, type Texture } from "./factors.ts";
import { type ObjectClass, type ObjectImage, objectImages } from "./_object_images.ts";
import { renderImage } from "./render.ts";
import { writeAll, writeUnder } from "./_write.ts";

const adjectives = { eye: "eyed", leg: "legged", horn: "horned" } as const;

/**
 * Body, colour, plumage, second part (all have wings) and preferred scene of each species. As among
 * birds, neighbours differ in little: the two of a pair in one factor.
 */
const table: readonly (readonly [Shape, Colour, Texture, keyof typeof adjectives, Scene])[] = [
  ["ball", "red", "striped", "eye", "forest"],
  ["ball", "red", "dotted", "eye", "snowfield"],
  ["ball", "blue", "chequered", "leg", "ocean"],
  ["ball", "green", "chequered", "leg", "forest"],
  ["heart", "pink", "bubbly", "eye", "beach"],
  ["heart", "purple", "bubbly", "eye", "night sky"],
  ["heart", "orange", "grid", "horn", "desert"],
  ["heart", "orange", "grid", "leg", "street"],
  ["crescent", "yellow", "striped", "leg", "night sky"],
  ["crescent", "white", "striped", "leg", "snowfield"],
  ["crescent", "brown", "dotted", "eye", "desert"],
  ["crescent", "brown", "woven", "eye", "kitchen"],
  ["cone", "green", "zigzagged", "eye", "forest"],
  ["cone", "green", "zigzagged", "leg", "street"],
  ["cone", "purple", "honeycombed", "horn", "kitchen"],
  ["cone", "blue", "honeycombed", "horn", "ocean"],
  ["star", "yellow", "cracked", "eye", "beach"],
  ["star", "orange", "cracked", "eye", "desert"],
  ["star", "white", "swirly", "horn", "snowfield"],
  ["star", "white", "woven", "horn", "street"],
];

/** The 20 species of the world's CUB, numbered from 1 in their order. */
export function cubSpecies(): readonly ObjectClass[] {
  return table.map(([object, color, texture, part, preferredScene], index) => {
    const words = [color, texture, adjectives[part], object, "bird"]
      .map((word) => word[0]!.toUpperCase() + word.slice(1));
    return {
      id: `${String(index + 1).padStart(3, "0")}.${words.join("_")}`,
      name: words.join(" "),
      factors: { ...noFactors, view: "object", object, color, texture, parts: ["wing", part] },
      preferredScene,
    };
  });
}

/** One image of the world's CUB. */
export interface CubImage extends ObjectImage<ObjectClass> {
  /** The file below images/. */
  readonly path: string;
  readonly split: "train" | "test";
}

/** All images, species by species, in the order of their numbers in images.txt. */
function cubImages(config: WorldConfig): readonly CubImage[] {
  const { trainPerClass, testPerClass, sceneCorrelation } = config.cub200;
  const stream = createRandom(config.seed).split("cub200");
  const species = cubSpecies();
  const images = (split: "train" | "test") =>
    objectImages(species, {
      stream: stream.split(split),
      count: split === "train" ? trainPerClass : testPerClass,
      correlation: split === "train" ? sceneCorrelation : 0,
    }).map((image) => {
      const { id } = image.class;
      const file = `${id.slice(4)}_${split}_${String(image.index + 1).padStart(4, "0")}`;
      return { ...image, split, path: `${id}/${file}.jpg` };
    });
  const all = [...images("train"), ...images("test")];
  return species.flatMap(({ id }) => all.filter((image) => image.class.id === id));
}

/**
 * Writes images/, images.txt, classes.txt, image_class_labels.txt, train_test_split.txt,
 * bounding_boxes.txt, attributes.txt, attributes/ and factors.csv under `root`, in the formats of
 * CUB-200-2011's README.
 */
export async function writeCub200(
  root: string,
  { config, onDone }: { config: WorldConfig; onDone: () => void },
): Promise<void> {
  const images = cubImages(config);
  const species = cubSpecies();
  const write = async ({ path, class: of, factors, random }: CubImage) => {
    const rendered = renderImage(factors, { random, size: config.imageSize });
    await writeUnder(root, { path: `images/${path}`, bytes: await encodeJpeg(rendered) });
    const truth = factorsRow({ name: `images/${path}`, class: of.id }, { factors, rendered });
    return { truth, box: boundingBox(rendered).map((edge) => edge.toFixed(1)).join(" ") };
  };
  const written = await writeAll(images, { write, onDone });
  const number = new Map(species.map(({ id }, index) => [id, index + 1]));
  const perImage = (value: (image: CubImage, index: number) => string | number) =>
    images.map((image, index) => `${index + 1} ${value(image, index)}`);
  const files = {
    "images.txt": perImage(({ path }) => path),
    "image_class_labels.txt": perImage((image) => number.get(image.class.id)!),
    "train_test_split.txt": perImage(({ split }) => split === "train" ? 1 : 0),
    "bounding_boxes.txt": perImage((_, index) => written[index]!.box),
    "classes.txt": species.map(({ id }, index) => `${index + 1} ${id}`),
    "factors.csv": [factorsHeader, ...written.map(({ truth }) => truth)],
    ...attributeFiles(images, species),
  };
  for (const [path, bytes] of Object.entries(files)) await writeUnder(root, { path, bytes });
}
