import type { Random } from "../tensor/mod.ts";
import type { Examples } from "./few_shot.ts";

/**
 * Labelled images of which a share has the wrong label: `share` of the positives, rounded, change
 * sides with as many of the negatives. A higher share of the same stream includes the lower.
 *
 * @param examples as many positives as negatives.
 * @param options.share from 0 to 1.
 */
export function mislabel(
  { positives, negatives }: Examples,
  { share, random }: { readonly share: number; readonly random: Random },
): Examples {
  const count = Math.round(share * Math.min(positives.length, negatives.length));
  const wrong = (side: string, rows: readonly number[]) =>
    new Set(random.split(side).shuffle(rows).slice(0, count));
  const [noPositives, noNegatives] = [wrong("positives", positives), wrong("negatives", negatives)];
  const mixed = (
    own: readonly number[],
    left: ReadonlySet<number>,
    come: ReadonlySet<number>,
  ) => [...own.filter((row) => !left.has(row)), ...come].sort((a, b) => a - b);
  return {
    positives: mixed(positives, noPositives, noNegatives),
    negatives: mixed(negatives, noNegatives, noPositives),
  };
}
