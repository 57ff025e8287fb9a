import { type Random, range } from "../tensor/mod.ts";

/** How probes are chosen from a pool (Figure 4). */
export type ProbeChoice = "extreme" | "random";

/**
 * The probe images R of a concept: the count/2 of the pool with the highest activation and the
 * count/2 with the lowest, or `count` at random. Of an odd count the highest get one more; among
 * equal activations the lower position in the pool comes first.
 *
 * @param activations a_c of each image of the pool
 * @returns positions in the pool, ascending
 * @throws {RangeError} when the pool is smaller than `count`.
 */
export function selectProbes(
  activations: ArrayLike<number>,
  { count, choice, random }: {
    readonly count: number;
    readonly choice: ProbeChoice;
    /** Used by the random choice only. */
    readonly random: Random;
  },
): Int32Array {
  if (!(Number.isInteger(count) && count > 0 && count <= activations.length)) {
    throw new RangeError(
      `Choosing ${count} probes takes a pool of as many images at least, not ${activations.length}.`,
    );
  }
  const pool = range(0, activations.length);
  const ranked = choice === "random"
    ? random.shuffle(pool)
    : pool.sort((a, b) => activations[b]! - activations[a]! || a - b);
  const high = choice === "random" ? count : Math.ceil(count / 2);
  const chosen = [...ranked.slice(0, high), ...ranked.slice(ranked.length - (count - high))];
  return Int32Array.from(chosen).sort();
}
