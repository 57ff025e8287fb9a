import type { Random } from "../tensor/mod.ts";

/**
 * For each concept another one that shares its word, where one word has two meanings: a red thing
 * and a striped one. It is of another category, where there is one. Positions in the list.
 */
export function otherMeanings(
  concepts: readonly { readonly category: string }[],
  random: Random,
): readonly number[] {
  const shuffled = random.shuffle([...concepts.keys()]);
  const meanings: number[] = [];
  shuffled.forEach((concept, at) => {
    const following = [...shuffled.slice(at + 1), ...shuffled.slice(0, at)];
    const ofAnotherKind = following.find((other) =>
      concepts[other]!.category !== concepts[concept]!.category
    );
    meanings[concept] = ofAnotherKind ?? following[0] ?? concept;
  });
  return meanings;
}
