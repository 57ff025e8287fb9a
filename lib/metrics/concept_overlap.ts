import { cosine } from "../tensor/mod.ts";
import { mean } from "./mean.ts";

/**
 * How much the CAV of a concept says of others: the mean absolute cosine with the CAVs of all other
 * concepts, times 100.
 *
 * @param vector of one concept, [dim].
 * @param others of each other concept, of the same method and seed, [dim].
 * @throws {RangeError} when there is no other concept.
 */
export function conceptOverlap(
  vector: ArrayLike<number>,
  others: readonly ArrayLike<number>[],
): number {
  if (others.length === 0) throw new RangeError("The overlap of a CAV with no other concept.");
  return 100 * mean(others.map((other) => Math.abs(cosine(vector, other))));
}
