import type { Examples } from "./few_shot.ts";

/** What the images of a pool are, as rows of the features. */
export interface ProbePool {
  /** Rows of the concepts' own images, which come first, and of all. */
  readonly ofConcepts: number;
  readonly images: number;
  /** Whether the images of other concepts are candidates. */
  readonly otherConcepts: boolean;
  /** Whether a concept's negatives are candidates. */
  readonly testNegatives?: boolean | undefined;
  /** Rows that are kept from all concepts. */
  readonly heldOut: ReadonlySet<number>;
}

/**
 * The images of which the probes of a concept are chosen, ascending. An image of the concept itself is
 * none (paper, Section 4.1); nor is one of its negatives, which are images of other concepts: those
 * that are no shots judge its CAV.
 */
export function probeCandidates(
  { positives, negatives }: Examples,
  { ofConcepts, images, otherConcepts, testNegatives = false, heldOut }: ProbePool,
): number[] {
  const labelled = new Set([...positives, ...(testNegatives ? [] : negatives)]);
  const candidates: number[] = [];
  for (let image = otherConcepts ? 0 : ofConcepts; image < images; image++) {
    if (!labelled.has(image) && !heldOut.has(image)) candidates.push(image);
  }
  return candidates;
}
