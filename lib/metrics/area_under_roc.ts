/**
 * Area under the ROC curve: the share of pairs of a positive and a negative in which the positive
 * scores higher, a tie counting half (Hanley and McNeil 1982).
 *
 * @returns From 0 to 1; 0.5 where the scores tell nothing.
 * @throws {RangeError} when a side is empty.
 */
export function areaUnderRoc(
  { positives, negatives }: {
    readonly positives: ArrayLike<number>;
    readonly negatives: ArrayLike<number>;
  },
): number {
  if (positives.length === 0 || negatives.length === 0) {
    throw new RangeError(
      `The area under a ROC curve of ${positives.length} positives and ${negatives.length} negatives.`,
    );
  }
  const others = Float64Array.from(negatives).sort();
  const scores = Float64Array.from(positives).sort();
  let [below, notAbove, sum] = [0, 0, 0];
  for (const score of scores) {
    while (below < others.length && others[below]! < score) below++;
    while (notAbove < others.length && others[notAbove]! <= score) notAbove++;
    sum += (below + notAbove) / 2;
  }
  return sum / (scores.length * others.length);
}
