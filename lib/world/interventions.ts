import { Buffer } from "node:buffer";
import sharp from "sharp";
import type { WorldConfig } from "../config/mod.ts";
import { createRandom, type Random } from "../tensor/mod.ts";
import { mixedFactors } from "./broden.ts";
import { worldConcepts } from "./concepts.ts";
import { categories, type Category, type Factors } from "./factors.ts";
import { factorsHeader, factorsRow } from "./_factors_csv.ts";
import { renderImage } from "./render.ts";
import { type Progress, writeAll, writeUnder } from "./_write.ts";

/** One image of a context: the scene, object and nuisance of all of the context's images. */
export interface InterventionImage {
  /** The file below the folder. */
  readonly path: string;
  /** The factor that the context's images differ in. */
  readonly category: Category;
  /** The number of the context among those of its factor, from 0. */
  readonly context: number;
  /** The concept whose value the factor has. */
  readonly concept: string;
  readonly factors: Factors;
  /** The same stream in all images of a context. */
  readonly random: Random;
}

/**
 * The same factors with one of them at another value; of parts, that value is then the only one.
 * Nothing else of an image changes when it is rendered from the same stream: its pose, its shades,
 * its light and its noise are drawn by name ({@linkcode renderImage}).
 */
export function intervene(
  factors: Factors,
  { category, value }: { readonly category: Category; readonly value: string },
): Factors {
  return category === "part"
    ? { ...factors, parts: [value as never] }
    : { ...factors, [category]: value };
}

/**
 * The images of interventions, factor by factor and context by context: each context of a factor is
 * rendered with every value of the factor, so any two of its images are a pair that differs in this
 * factor only. Contexts are drawn as the mixed images of Broden are, an object before a scene, from
 * a stream of their own, so that nothing else of the world shows them. Context i does not depend on
 * their number.
 */
export function interventionImages(
  { seed }: Pick<WorldConfig, "seed">,
  { contexts }: { readonly contexts: number },
): readonly InterventionImage[] {
  const stream = createRandom(seed).split("interventions");
  return categories.flatMap((category) => {
    const concepts = worldConcepts().filter((concept) => concept.category === category);
    return Array.from({ length: contexts }, (_, context) => {
      const random = stream.split(category).split(context);
      const base = contextOf(category, random.split("factors"));
      return concepts.map(({ name, value }): InterventionImage => ({
        path: `${category}/${String(context + 1).padStart(4, "0")}/${value.replace(" ", "_")}.png`,
        category,
        context,
        concept: name,
        factors: intervene(base, { category, value }),
        random,
      }));
    }).flat();
  });
}

/** A surface has a texture or a material, as everywhere in the world: the other one gives way. */
function contextOf(category: Category, random: Random): Factors {
  const factors = mixedFactors(random);
  if (category === "texture") return { ...factors, material: null };
  return category === "material" ? { ...factors, texture: null } : factors;
}

/**
 * Writes the images as PNG, whose pixels are those rendered; interventions.csv, which says the
 * factor, context and concept of each; and factors.csv. The same config gives the same bytes.
 */
export async function writeInterventions(
  root: string,
  config: Pick<WorldConfig, "seed" | "imageSize">,
  { contexts, onProgress }: { readonly contexts: number; readonly onProgress?: Progress },
): Promise<void> {
  const images = interventionImages(config, { contexts });
  let done = 0;
  const rows = await writeAll(images, {
    onDone: () => onProgress?.(++done, images.length),
    write: async ({ path, category, context, concept, factors, random }) => {
      const rendered = renderImage(factors, { random, size: config.imageSize });
      const raw = { width: rendered.width, height: rendered.height, channels: 3 as const };
      const bytes = await sharp(Buffer.from(rendered.data), { raw }).png({ palette: false })
        .toBuffer();
      await writeUnder(root, { path, bytes });
      return {
        intervention: [path, category, context, concept].join(","),
        factors: factorsRow({ name: path, class: "" }, { factors, rendered }),
      };
    },
  });
  await writeUnder(root, {
    path: "interventions.csv",
    bytes: ["image,category,context,concept", ...rows.map(({ intervention }) => intervention)],
  });
  await writeUnder(root, {
    path: "factors.csv",
    bytes: [factorsHeader, ...rows.map(({ factors }) => factors)],
  });
}
