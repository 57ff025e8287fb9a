import { type Random, range } from "../tensor/mod.ts";

/**
 * Which row stands in the place of each, where a share of images has the wrong caption: that many
 * rows, rounded, at random, each of which gets the row of the next of them. A higher share of the same
 * stream takes more of the same.
 *
 * @param options.share from 0 to 1; a single row cannot be wrong, as there is none to take.
 */
export function mismatchedRows(
  count: number,
  { share, random }: { readonly share: number; readonly random: Random },
): number[] {
  const wrong = random.shuffle(range(0, count)).slice(0, Math.round(share * count));
  const rows = range(0, count);
  wrong.forEach((row, at) => rows[row] = wrong[(at + 1) % wrong.length]!);
  return rows;
}
