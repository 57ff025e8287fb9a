import type { CavProblem, ConceptProblem } from "./concept_problem.ts";

/**
 * Images that a method may look at without their labels, as rows of the features, ascending: the
 * probes of all concepts, less those on which the vectors of some concepts are judged.
 *
 * @param judged the concepts whose vectors come of it; none where the images that judge them may be
 * seen.
 */
export function unlabelledImages(
  { concepts }: Pick<CavProblem, "concepts">,
  judged: readonly ConceptProblem[],
): number[] {
  const judging = new Set(judged.flatMap(({ labelled }) => [...labelled]));
  const probes = new Set(concepts.flatMap(({ probes }) => [...probes]));
  return [...probes].filter((image) => !judging.has(image)).sort((a, b) => a - b);
}
