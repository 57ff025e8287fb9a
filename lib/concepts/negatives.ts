import type { Random } from "../tensor/mod.ts";
import type { FoundLabel } from "../datasets/mod.ts";
import type { ConceptImages } from "./single_concept.ts";

/**
 * Negatives of each concept: as many as it has images, drawn without replacement from the images of
 * the other concepts in which its label was not found at all; ascending. Fewer where there are not
 * as many. Each concept draws from the stream split by its label number, so that leaving another
 * concept out changes only the pool.
 *
 * @param labels per image, as {@linkcode scanBrodenLabels} finds them.
 */
export function drawNegatives(
  concepts: readonly ConceptImages[],
  labels: readonly (readonly FoundLabel[])[],
  { random }: { readonly random: Random },
): readonly Int32Array[] {
  const pool = [...new Set(concepts.flatMap(({ images }) => [...images]))].sort((a, b) => a - b);
  const showing = imagesByLabel(pool, labels);
  return concepts.map(({ concept, images }) => {
    const stream = random.split(concept.number);
    const excluded = showing.get(concept.number) ?? new Set();
    const count = Math.min(images.length, pool.length - excluded.size);
    const drawn = new Set<number>();
    while (drawn.size < count) {
      const index = stream.pick(pool);
      if (!excluded.has(index)) drawn.add(index);
    }
    return Int32Array.from(drawn).sort();
  });
}

function imagesByLabel(
  pool: readonly number[],
  labels: readonly (readonly FoundLabel[])[],
): ReadonlyMap<number, ReadonlySet<number>> {
  const images = new Map<number, Set<number>>();
  for (const index of pool) {
    for (const { number } of labels[index]!) {
      images.set(number, (images.get(number) ?? new Set()).add(index));
    }
  }
  return images;
}
