import type { WorldConfig } from "../config/mod.ts";
import { createRandom, type Random } from "../tensor/mod.ts";
import { companionOf } from "./co_occurrence.ts";
import { type WorldConcept, worldConcepts } from "./concepts.ts";
import { labelFiles, type LabelUse } from "./_broden_labels.ts";
import { encodeJpeg, encodeMask, sampleMask } from "./_encode.ts";
import {
  categories,
  type Category,
  colours,
  type Factors,
  materials,
  noFactors,
  parts,
  scenes,
  shapes,
  textures,
} from "./factors.ts";
import { factorsHeader, factorsRow } from "./_factors_csv.ts";
import { type Rendered, renderImage } from "./render.ts";
import { writeAll, writeUnder } from "./_write.ts";

/** One image of the world's Broden: what it shows and which categories its source labels. */
export interface BrodenImage {
  /** The file below images/, without its extension; the folder is the source. */
  readonly name: string;
  readonly split: "train" | "val";
  readonly factors: Factors;
  readonly labelled: readonly Category[];
  readonly random: Random;
}

/** The source that labels a category, and nothing else. */
const sourceOf: Readonly<Record<Category, string>> = {
  color: "colors",
  object: "objects",
  part: "parts",
  material: "materials",
  scene: "scenes",
  texture: "textures",
};

/**
 * The images of the union: for each concept those of its source, which label it alone, then the
 * mixed ones, which label everything. Image i of a concept does not depend on their number.
 */
export function brodenImages(config: WorldConfig): readonly BrodenImage[] {
  const stream = createRandom(config.seed).split("broden");
  const { imagesPerConcept, mixedImages, coOccurrence = 0 } = config.broden;
  const single = worldConcepts().flatMap((concept) =>
    Array.from({ length: imagesPerConcept }, (_, i) => {
      const random = stream.split(concept.name).split(i);
      const factors = singleFactors(concept, { random: random.split("factors"), index: i });
      const together = random.split("co-occurrence").uniform() < coOccurrence;
      return image({
        name: `${sourceOf[concept.category]}/${concept.value.replace(" ", "_")}_${number(i)}`,
        factors: together ? withCompanion(factors, concept) : factors,
        labelled: [concept.category],
        random,
      });
    })
  );
  const mixed = Array.from({ length: mixedImages }, (_, i) => {
    const random = stream.split("mixed").split(i);
    const factors = mixedFactors(random.split("factors"));
    return image({ name: `mixed/mixed_${number(i)}`, factors, labelled: categories, random });
  });
  return [...single, ...mixed];
}

function image(of: Omit<BrodenImage, "split">): BrodenImage {
  return { ...of, split: of.random.split("split").uniform() < 0.7 ? "train" : "val" };
}

function number(index: number): string {
  return String(index + 1).padStart(4, "0");
}

/** The factors of an image for one concept; all that the concept leaves open is drawn. */
function singleFactors(
  concept: WorldConcept,
  { random, index }: { random: Random; index: number },
): Factors {
  const value = concept.value as never;
  const object = random.pick(shapes);
  const color = random.pick(colours);
  const surface = anySurface(random);
  const scene = random.uniform() < 0.5 ? random.pick(scenes) : null;
  const part = random.pick(parts);
  const withPart = random.uniform() < 0.25;
  const alone = index % 2 === 0;
  switch (concept.category) {
    case "color":
      return alone
        ? { ...noFactors, ...surface, color: value }
        : { ...noFactors, ...surface, view: "object", object, color: value };
    case "texture":
      return { ...noFactors, color, texture: value };
    case "material":
      return alone
        ? { ...noFactors, color, material: value }
        : { ...noFactors, view: "object", object, color, material: value };
    case "scene":
      return alone
        ? { ...noFactors, view: "scene", scene: value }
        : { ...noFactors, ...surface, view: "object", color, object, scene: value };
    case "object": {
      const own = withPart ? [part] : [];
      return { ...noFactors, ...surface, view: "object", color, object: value, parts: own, scene };
    }
    case "part": {
      const view = index % 5 < 3 ? "part" : "object";
      return { ...noFactors, ...surface, view, color, object, parts: [value], scene };
    }
  }
}

/** The factors of an image of a concept that also shows what goes together with it. */
function withCompanion(factors: Factors, concept: WorldConcept): Factors {
  const { category, value } = companionOf(concept);
  const shown = { ...factors, [category]: value as never };
  if (category === "texture") return { ...shown, material: null };
  return category === "object" ? { ...shown, view: "object" } : shown;
}

/** A patterned surface, a material or, in two cases of five, neither. */
function anySurface(random: Random): Pick<Factors, "texture" | "material"> {
  const kind = random.uniform();
  const texture = random.pick(textures);
  const material = random.pick(materials);
  return { texture: kind < 0.4 ? texture : null, material: kind > 0.8 ? material : null };
}

/** A scene with an object that has one or two parts and a textured or material surface. */
export function mixedFactors(random: Random): Factors {
  const textured = random.uniform() < 0.5;
  return {
    view: "object",
    object: random.pick(shapes),
    color: random.pick(colours),
    texture: textured ? random.pick(textures) : null,
    material: textured ? null : random.pick(materials),
    parts: random.shuffle(parts).slice(0, random.integer(2) + 1),
    scene: random.pick(scenes),
  };
}

/** Writes images, masks, index.csv, label.csv, category.csv, c_*.csv and factors.csv. */
export async function writeBroden(
  root: string,
  { config, onDone }: { config: WorldConfig; onDone: () => void },
): Promise<void> {
  const numbers = new Map(
    worldConcepts().map((concept) => [`${concept.category}/${concept.value}`, concept.number]),
  );
  const write = async (image: BrodenImage) => {
    const rendered = renderImage(image.factors, {
      random: image.random,
      size: config.imageSize,
      variety: config.broden.variety,
    });
    const path = `${image.name}.jpg`;
    await writeUnder(root, { path: `images/${path}`, bytes: await encodeJpeg(rendered) });
    const { cells, uses } = await writeLabels(root, { image, rendered, config, numbers });
    const size = [config.imageSize, config.imageSize, config.broden.maskSize];
    const index = [path, image.split, ...size, config.broden.maskSize, ...cells].join(",");
    const factors = factorsRow({ name: path, class: "" }, { factors: image.factors, rendered });
    return { index, factors, uses };
  };
  const rows = await writeAll(brodenImages(config), { write, onDone });
  const header = `image,split,ih,iw,sh,sw,${categories.join(",")}`;
  await writeUnder(root, { path: "index.csv", bytes: [header, ...rows.map((row) => row.index)] });
  await writeUnder(root, {
    path: "factors.csv",
    bytes: [factorsHeader, ...rows.map((row) => row.factors)],
  });
  for (const file of labelFiles(rows.flatMap((row) => row.uses))) await writeUnder(root, file);
}

/** Writes the masks of an image; gives its six cells in index.csv and what it labels. */
async function writeLabels(
  root: string,
  { image, rendered, config, numbers }: {
    image: BrodenImage;
    rendered: Rendered;
    config: WorldConfig;
    numbers: ReadonlyMap<string, number>;
  },
): Promise<{ cells: string[]; uses: LabelUse[] }> {
  const uses: LabelUse[] = [];
  const cells: string[] = [];
  for (const category of categories) {
    const values = image.labelled.includes(category) ? valuesOf(image.factors, category) : [];
    const written: string[] = [];
    for (const [plane, value] of values.entries()) {
      const label = numbers.get(`${category}/${value}`)!;
      if (category === "scene" || category === "texture") {
        uses.push({ label, coverage: 1 });
        written.push(String(label));
        continue;
      }
      const inside = sampleMask(coverageOf(rendered, { category, plane }), config.broden.maskSize);
      const coverage = inside.reduce((sum, pixel) => sum + pixel, 0) / inside.length;
      const path = `${image.name}_${category}${values.length > 1 ? `_${plane + 1}` : ""}.png`;
      await writeUnder(root, { path: `images/${path}`, bytes: await encodeMask(inside, label) });
      // What other things hide wholly is labelled by an empty mask, and does not count.
      if (coverage > 0) uses.push({ label, coverage });
      written.push(path);
    }
    cells.push(written.join(";"));
  }
  return { cells, uses };
}

function valuesOf(factors: Factors, category: Category): readonly string[] {
  if (category === "part") return factors.parts;
  const value = factors[category];
  return value === null ? [] : [value];
}

/** The pixels that a label covers: a part's own, an object with its parts, else the surface. */
function coverageOf(
  { object, parts }: Rendered,
  { category, plane }: { category: Category; plane: number },
): Uint8Array {
  if (category === "part") return parts[plane]!;
  const partly = (pixel: number) => parts.reduce((most, mask) => Math.max(most, mask[pixel]!), 0);
  if (category === "object") return object.map((cover, pixel) => Math.max(cover, partly(pixel)));
  return object.map((cover, pixel) => (partly(pixel) > 127 ? 0 : cover));
}
