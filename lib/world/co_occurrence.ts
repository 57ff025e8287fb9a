import { type WorldConcept, worldConcepts } from "./concepts.ts";
import type { Category } from "./factors.ts";

/** The category of what goes together with the concepts of each: one that their images leave open. */
const companions = {
  color: "texture",
  object: "scene",
  part: "scene",
  material: "color",
  scene: "object",
  texture: "color",
} as const satisfies Record<Category, Category>;

/**
 * What goes together with a concept where factors co-occur, as wheels do with streets: one value of
 * another category for all of its images, chosen by the order of both lists alone.
 */
export function companionOf(
  { category, value }: Pick<WorldConcept, "category" | "value">,
): WorldConcept {
  const concepts = worldConcepts();
  const position = concepts.filter((concept) => concept.category === category)
    .findIndex((concept) => concept.value === value);
  const others = concepts.filter((concept) => concept.category === companions[category]);
  return others[position % others.length]!;
}
