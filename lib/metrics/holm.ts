/**
 * P-values corrected for their number by Holm's step-down method (Holm 1979): rejecting those below
 * a level keeps the probability of any false rejection among all of them below that level, whatever
 * their dependence. In the order given.
 */
export function holm(pValues: readonly number[]): number[] {
  const corrected = new Array<number>(pValues.length);
  const order = [...pValues.keys()].sort((a, b) => pValues[a]! - pValues[b]!);
  let least = 0;
  order.forEach((index, rank) => {
    least = Math.max(least, Math.min(1, (pValues.length - rank) * pValues[index]!));
    corrected[index] = least;
  });
  return corrected;
}
