import {
  categories,
  type Category,
  colours,
  type Factors,
  materials,
  parts,
  scenes,
  shapes,
  textures,
} from "./factors.ts";

/** A concept of the world's Broden, as in a row of label.csv. */
export interface WorldConcept {
  /** The label number in masks and cells, from 1. */
  readonly number: number;
  /** The name in label.csv: colours end in "-c" and scenes in "-s", as in Broden. */
  readonly name: string;
  readonly category: Category;
  /** The factor value that it stands for. */
  readonly value: string;
}

const values: Readonly<Record<Category, readonly string[]>> = {
  color: colours,
  object: shapes,
  part: parts,
  material: materials,
  scene: scenes,
  texture: textures,
};
const suffix: Readonly<Partial<Record<Category, string>>> = { color: "-c", scene: "-s" };

/** The 49 concepts in the order of their numbers. They are the same for every config. */
export function worldConcepts(): readonly WorldConcept[] {
  return categories
    .flatMap((category) => values[category].map((value) => ({ category, value })))
    .map(({ category, value }, index) => ({
      number: index + 1,
      name: value + (suffix[category] ?? ""),
      category,
      value,
    }));
}

/** Every pair of a concept and a class that the concept helps to define. Scenes define none. */
export function worldPairs(
  classes: readonly { readonly id: string; readonly factors: Factors }[],
): readonly { readonly concept: string; readonly class: string }[] {
  return worldConcepts().flatMap((concept) =>
    classes
      .filter(({ factors }) =>
        concept.category === "part"
          ? (factors.parts as readonly string[]).includes(concept.value)
          : factors[concept.category] === concept.value
      )
      .map(({ id }) => ({ concept: concept.name, class: id }))
  );
}
