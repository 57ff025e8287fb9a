import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import type { WorldConfig } from "../config/mod.ts";
import { createRandom } from "../tensor/mod.ts";
import { colours, type Factors, noFactors, scenes, shapes, textures } from "./factors.ts";
import { factorsHeader, factorsRow } from "./_factors_csv.ts";
import { type ObjectClass, type ObjectImage, objectImages } from "./_object_images.ts";
import { type Rendered, renderImage } from "./render.ts";
import { writeUnder } from "./_write.ts";

const side = 32;
/** A coarse label byte, a fine label byte, then the red, green and blue plane. */
const recordBytes = 2 + 3 * side * side;

/** A fine class of the world's CIFAR-100. */
export interface CifarClass extends ObjectClass {
  /** The name of its superclass. */
  readonly coarse: string;
}

/**
 * The 100 fine classes, sorted by name as in CIFAR-100: ten shapes, each plain in five colours and
 * patterned in five pairs of a colour and a texture, which are 20 superclasses.
 */
export function cifarClasses(): readonly CifarClass[] {
  return shapes.flatMap((object, shape) =>
    Array.from({ length: 10 }, (_, member): CifarClass => {
      const plain = member < 5;
      const color = colours[(2 * member + shape) % colours.length]!;
      const texture = plain ? null : textures[(3 * member + shape) % textures.length]!;
      const name = [color, texture, object].filter((word) => word !== null).join("_");
      const factors: Factors = { ...noFactors, view: "object", object, color, texture };
      const preferredScene = scenes[(shape + 3 * member) % scenes.length]!;
      return {
        id: name,
        name,
        coarse: `${plain ? "plain" : "patterned"}_${object}`,
        factors,
        preferredScene,
      };
    })
  ).sort((a, b) => a.name < b.name ? -1 : 1);
}

/**
 * The images of a split in the order of their records: the first of every class, the second of
 * every class and so on, so that a smaller split is a prefix of a larger one.
 */
export function cifarImages(
  config: WorldConfig,
  split: "train" | "test",
): readonly ObjectImage<CifarClass>[] {
  const { trainPerClass, testPerClass, sceneCorrelation } = config.cifar100;
  const classes = cifarClasses();
  const count = split === "train" ? trainPerClass : testPerClass;
  const images = objectImages(classes, {
    stream: createRandom(config.seed).split("cifar100").split(split),
    count,
    correlation: split === "train" ? sceneCorrelation : 0,
  });
  return images.map((_, record) => {
    const [index, of] = [Math.floor(record / classes.length), record % classes.length];
    return images[of * count + index]!;
  });
}

/**
 * Writes train.bin, test.bin, fine_label_names.txt, coarse_label_names.txt and factors.csv (its
 * images are named `<split>/<record>`) under `root`. Images are 32 x 32, as in CIFAR-100.
 */
export async function writeCifar100(
  root: string,
  { config, onDone }: { config: WorldConfig; onDone: () => void },
): Promise<void> {
  await mkdir(root, { recursive: true });
  const classes = cifarClasses();
  const coarse = [...new Set(classes.map((of) => of.coarse))].sort();
  const numbers = new Map(
    classes.map((of, fine) => [of.id, { fine, coarse: coarse.indexOf(of.coarse) }]),
  );
  const truth: string[] = [];
  for (const split of ["train", "test"] as const) {
    const file = await open(join(root, `${split}.bin`), "w");
    try {
      for (const [index, image] of cifarImages(config, split).entries()) {
        const { factors, random } = image;
        const rendered = renderImage(factors, { random, size: side });
        await file.write(recordOf(rendered, numbers.get(image.class.id)!));
        const name = `${split}/${index}`;
        truth.push(factorsRow({ name, class: image.class.id }, { factors, rendered }));
        onDone();
      }
    } finally {
      await file.close();
    }
  }
  await writeUnder(root, { path: "factors.csv", bytes: [factorsHeader, ...truth] });
  await writeUnder(root, { path: "fine_label_names.txt", bytes: classes.map(({ name }) => name) });
  await writeUnder(root, { path: "coarse_label_names.txt", bytes: coarse });
}

function recordOf(
  { data }: Rendered,
  { coarse, fine }: { coarse: number; fine: number },
): Uint8Array {
  const record = new Uint8Array(recordBytes);
  record[0] = coarse;
  record[1] = fine;
  for (let i = 0; i < data.length; i++) {
    record[2 + (i % 3) * side * side + Math.floor(i / 3)] = data[i]!;
  }
  return record;
}
