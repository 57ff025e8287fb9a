import { cosine, row, type Tensor } from "../tensor/mod.ts";

/** Concept number, class number, and the cosine similarity of their names. */
export interface RelatedPair {
  readonly concept: number;
  readonly class: number;
  readonly similarity: number;
}

/**
 * The ground-truth pairs of concept-to-class accuracy: concepts and classes whose names a sentence
 * encoder puts closer than `threshold` (the paper: all-mpnet-base-v2, above 0.6). In the order of
 * concepts, then classes. A zero embedding is related to nothing.
 *
 * @param conceptEmbeddings [concepts, E].
 * @param classEmbeddings [classes, E].
 * @throws {RangeError} when the embeddings have different widths.
 */
export function relatedPairs(
  conceptEmbeddings: Tensor,
  classEmbeddings: Tensor,
  { threshold }: { readonly threshold: number },
): RelatedPair[] {
  const [concepts = 0, width = 0] = conceptEmbeddings.shape;
  const [classes = 0, classWidth = 0] = classEmbeddings.shape;
  if (width !== classWidth) {
    throw new RangeError(
      `Pairs of concept embeddings of ${width} numbers with class embeddings of ${classWidth}.`,
    );
  }
  const pairs: RelatedPair[] = [];
  for (let concept = 0; concept < concepts; concept++) {
    for (let k = 0; k < classes; k++) {
      const similarity = cosine(row(conceptEmbeddings, concept), row(classEmbeddings, k));
      if (similarity > threshold) pairs.push({ concept, class: k, similarity });
    }
  }
  return pairs;
}
