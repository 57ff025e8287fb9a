/**
 * Two-sided p-value of a value among those that controls get: twice the smaller of (b + 1) / (m + 1)
 * for the b of m controls that lie as high or higher, and as low or lower, at most 1. It is never 0
 * (Phipson and Smyth 2010), and valid where values repeat, such as TCAV scores of 0 and 100: equal
 * ones count on both sides. With m controls the least is 2 / (m + 1).
 *
 * @param ascending The controls' values, sorted.
 * @throws {RangeError} when there is no control, or the value is not finite.
 */
export function empiricalPValue(value: number, ascending: ArrayLike<number>): number {
  const count = ascending.length;
  if (count === 0) throw new RangeError("An empirical p-value without controls.");
  if (!Number.isFinite(value)) throw new RangeError(`An empirical p-value of ${value}.`);
  // Values that are equal on paper differ by rounding; they count as equal.
  const rounding = 1e-9 * Math.abs(value);
  const lower = countBelow(ascending, value - rounding);
  const notAbove = countBelow(ascending, value + rounding, { orEqual: true });
  const smaller = Math.min(count - lower, notAbove);
  return Math.min(1, (2 * (smaller + 1)) / (count + 1));
}

/** How many of some ascending values lie below a bound, by bisection. */
function countBelow(
  ascending: ArrayLike<number>,
  bound: number,
  { orEqual = false }: { readonly orEqual?: boolean } = {},
): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const value = ascending[middle]!;
    if (value < bound || (orEqual && value === bound)) low = middle + 1;
    else high = middle;
  }
  return low;
}
