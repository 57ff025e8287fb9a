import type { Broden, BrodenLabel } from "../datasets/mod.ts";
import type { FoundLabel } from "../datasets/mod.ts";

/** When an image counts as showing one concept only; the paper leaves this open. */
export interface SingleConceptOptions {
  /**
   * `all`: no other label of any category is present. `own`: no other label of the concept's own
   * category; a texture swatch still has colours, a scene still has objects.
   */
  readonly categories: "all" | "own";
  /** The least share of the image that a label must cover to be present, from 0. */
  readonly minimumMaskFraction: number;
  /** A concept with fewer such images is left out. */
  readonly minimumImages: number;
}

/** A concept and its images, indices into the Broden's `images`, ascending. */
export interface ConceptImages {
  readonly concept: BrodenLabel;
  readonly images: Int32Array;
}

/** The concepts that have enough images, and those that do not. */
export interface SingleConceptImages {
  readonly concepts: readonly ConceptImages[];
  readonly tooFew: readonly { readonly name: string; readonly images: number }[];
  /** How many images a concept must have. */
  readonly minimumImages: number;
}

/**
 * The images that contain only one concept, per concept, in the order of label numbers (the paper's
 * Broden protocol). A label counts for a concept in its main category alone.
 *
 * @param labels per image of the Broden, as {@linkcode scanBrodenLabels} finds them.
 */
export function singleConceptImages(
  broden: Pick<Broden, "labels">,
  labels: readonly (readonly FoundLabel[])[],
  options: SingleConceptOptions,
): SingleConceptImages {
  const images = new Map<number, number[]>();
  for (const [index, found] of labels.entries()) {
    for (const number of singleConcepts(broden, found, options)) {
      const list = images.get(number);
      if (list === undefined) images.set(number, [index]);
      else list.push(index);
    }
  }
  const all = [...images].sort(([a], [b]) => a - b).map(([number, list]) => ({
    concept: broden.labels.get(number)!,
    images: Int32Array.from(list),
  }));
  const { minimumImages } = options;
  return {
    concepts: all.filter(({ images }) => images.length >= minimumImages),
    tooFew: all.filter(({ images }) => images.length < minimumImages)
      .map(({ concept: { name }, images }) => ({ name, images: images.length })),
    minimumImages,
  };
}

/** The concepts whose only one an image is: one at most under `all`, one a category under `own`. */
function singleConcepts(
  broden: Pick<Broden, "labels">,
  found: readonly FoundLabel[],
  { categories, minimumMaskFraction }: SingleConceptOptions,
): number[] {
  const present = found.filter(({ fraction }) => fraction >= minimumMaskFraction);
  const scope = ({ category }: FoundLabel) => categories === "all" ? "" : category;
  const numbers = new Map<string, Set<number>>();
  for (const label of present) {
    const key = scope(label);
    numbers.set(key, (numbers.get(key) ?? new Set()).add(label.number));
  }
  const only = present.filter((label) =>
    numbers.get(scope(label))!.size === 1 &&
    broden.labels.get(label.number)!.category === label.category
  );
  return [...new Set(only.map(({ number }) => number))];
}
