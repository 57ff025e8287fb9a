/**
 * P-values adjusted for the false discovery rate (Benjamini and Hochberg 1995): a hypothesis is
 * rejected at rate q when its adjusted p-value is at most q. Of the i-th smallest of m it is the least
 * m p / j over all j from i on, at most 1.
 *
 * @returns One for each p-value, in their order.
 * @throws {RangeError} when one does not lie between 0 and 1.
 */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const wrong = pValues.find((p) => !(p >= 0 && p <= 1));
  if (wrong !== undefined) throw new RangeError(`Adjusting the p-value ${wrong}.`);
  const adjusted = new Array<number>(pValues.length);
  const descending = [...pValues.keys()].sort((a, b) => pValues[b]! - pValues[a]!);
  let least = 1;
  descending.forEach((index, above) => {
    const rank = pValues.length - above;
    least = Math.min(least, (pValues[index]! * pValues.length) / rank);
    adjusted[index] = least;
  });
  return adjusted;
}
