import { UserError } from "../files/mod.ts";
import { drawNegatives } from "./negatives.ts";
import type { ConceptImages } from "./single_concept.ts";
import type { FoundLabel } from "../datasets/mod.ts";
import { createRandom, type Random } from "../tensor/mod.ts";

/** Labelled examples of a concept; numbers are rows of a feature matrix. */
export interface Examples {
  readonly positives: readonly number[];
  readonly negatives: readonly number[];
}

/** A concept with all its labelled images and, per seed, the few a CAV may learn from. */
export interface FewShotConcept extends Examples {
  readonly name: string;
  /** The name as words for a prompt. */
  readonly phrase: string;
  readonly category: string;
  /** In the order of the seeds; the images that are no shots of a seed test its CAVs. */
  readonly shots: readonly Examples[];
}

/** The concepts of an experiment and the images whose features they need. */
export interface ConceptSet {
  readonly concepts: readonly FewShotConcept[];
  /** Indices of images in the dataset: row r of its features is of image `images[r]`. */
  readonly images: readonly number[];
}

/** How many labelled images train a CAV. */
export interface FewShotOptions {
  readonly shots: { readonly positives: number; readonly negatives: number };
  readonly seeds: readonly number[];
}

/**
 * Draws, per concept, as many negatives as it has images, from those of the other concepts, and per
 * seed the few shots (paper, Section 4.1). The shots of a concept and seed do not depend on which
 * other seeds there are.
 *
 * @param labels what the images of the dataset show, so that no negative shows the concept.
 * @throws {UserError} when a concept has no more images than shots.
 */
export function drawConceptSet(
  selected: readonly ConceptImages[],
  labels: readonly (readonly FoundLabel[])[],
  { shots, seeds }: FewShotOptions,
): ConceptSet {
  const images = [...new Set(selected.flatMap((concept) => [...concept.images]))]
    .sort((a, b) => a - b);
  const rowOf = new Map(images.map((image, row) => [image, row]));
  const rowsOf = (some: Int32Array) => [...some].map((image) => rowOf.get(image)!);
  const negativesOf = drawNegatives(selected, labels, { random: createRandom("negatives") });
  const concepts = selected.map(({ concept: { name, phrase, category } }, index) => {
    const random = createRandom("shots").split(name);
    const positives = rowsOf(selected[index]!.images);
    const negatives = rowsOf(negativesOf[index]!);
    return {
      name,
      phrase,
      category,
      positives,
      negatives,
      shots: seeds.map((seed) => ({
        positives: drawShots(name, positives, {
          count: shots.positives,
          random: random.split(`positives of seed ${seed}`),
        }),
        negatives: drawShots(name, negatives, {
          count: shots.negatives,
          random: random.split(`negatives of seed ${seed}`),
        }),
      })),
    };
  });
  return { concepts, images };
}

/** The examples that are no shots: what a CAV of that seed is tested on. */
export function testExamples(concept: FewShotConcept, shots: Examples): Examples {
  const used = new Set([...shots.positives, ...shots.negatives]);
  return {
    positives: concept.positives.filter((row) => !used.has(row)),
    negatives: concept.negatives.filter((row) => !used.has(row)),
  };
}

function drawShots(
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
