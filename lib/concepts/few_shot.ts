import type { FoundLabel } from "../datasets/mod.ts";
import { UserError } from "../files/mod.ts";
import { createRandom, type Random } from "../tensor/mod.ts";
import { drawNegatives } from "./negatives.ts";
import type { SingleConceptImages } from "./single_concept.ts";

/** Labelled examples of a concept; numbers are rows of a feature matrix. */
export interface Examples {
  readonly positives: readonly number[];
  readonly negatives: readonly number[];
}

/** A concept with all its labelled images. */
export interface LabelledConcept extends Examples {
  readonly name: string;
  /** The name as words for a prompt. */
  readonly phrase: string;
  readonly category: string;
}

/** The concepts of a dataset and the images whose features they need. */
export interface ConceptImageSet {
  readonly concepts: readonly LabelledConcept[];
  /** Indices of images in the dataset: row r of its features is of image `images[r]`. */
  readonly images: readonly number[];
  /** Concepts that were left out because too few images show them. */
  readonly tooFew: readonly { readonly name: string; readonly images: number }[];
}

/**
 * The concepts with, for each, as many negatives as it has images, drawn from those of the other
 * concepts (paper, Section 4.1).
 *
 * @param labels what the images of the dataset show, so that no negative shows the concept.
 * @throws {UserError} when no concept has enough images.
 */
export function conceptImageSet(
  { concepts: selected, tooFew, minimumImages }: SingleConceptImages,
  labels: readonly (readonly FoundLabel[])[],
): ConceptImageSet {
  if (selected.length === 0) {
    const [most] = tooFew.toSorted((a, b) => b.images - a.images);
    throw new UserError(
      `No concept has ${minimumImages} images that show it alone, which "minimumImages" asks for; ${
        most === undefined ? "none is labelled at all" : `"${most.name}" has most, ${most.images}`
      }. Add images, or lower "minimumImages" in the dataset's config.`,
    );
  }
  const images = [...new Set(selected.flatMap((concept) => [...concept.images]))]
    .sort((a, b) => a - b);
  const rowOf = new Map(images.map((image, row) => [image, row]));
  const rowsOf = (some: Int32Array) => [...some].map((image) => rowOf.get(image)!);
  const negativesOf = drawNegatives(selected, labels, { random: createRandom("negatives") });
  const concepts = selected.map(({ concept: { name, phrase, category }, images }, index) => ({
    name,
    phrase,
    category,
    positives: rowsOf(images),
    negatives: rowsOf(negativesOf[index]!),
  }));
  return { concepts, images, tooFew };
}

/**
 * The few labelled images of a concept that a CAV of one seed may learn from, as many positives as
 * negatives (paper, Section 4.1). More shots of a seed include the fewer.
 *
 * @throws {UserError} when the concept has no more images than shots.
 */
export function drawShots(
  { name, positives, negatives }: LabelledConcept,
  { shots, seed }: { readonly shots: number; readonly seed: number },
): Examples {
  const random = createRandom("shots").split(name);
  const draw = (side: "positives" | "negatives", rows: readonly number[]) =>
    drawSome(name, rows, { count: shots, random: random.split(`${side} of seed ${seed}`) });
  return { positives: draw("positives", positives), negatives: draw("negatives", negatives) };
}

/** The examples that are no shots: what a CAV of that seed is tested on. */
export function testExamples(concept: Examples, shots: Examples): Examples {
  const used = new Set([...shots.positives, ...shots.negatives]);
  return {
    positives: concept.positives.filter((row) => !used.has(row)),
    negatives: concept.negatives.filter((row) => !used.has(row)),
  };
}

function drawSome(
  concept: string,
  rows: readonly number[],
  { count, random }: { readonly count: number; readonly random: Random },
): number[] {
  if (rows.length <= count) {
    throw new UserError(
      `Concept "${concept}" has ${rows.length} images, and ${count} shots leave none for testing. ` +
        `Add images of it, lower "shots", or raise "minimumImages" to leave it out.`,
    );
  }
  return random.shuffle(rows).slice(0, count).sort((a, b) => a - b);
}
