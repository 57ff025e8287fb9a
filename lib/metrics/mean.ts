/**
 * Arithmetic mean.
 *
 * @throws {RangeError} when there are no values.
 */
export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("The mean of no values.");
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Weighted mean: sum of w v over sum of w. Equal weights give the mean.
 *
 * @throws {RangeError} when there are no values, not one weight for each, or no weight above 0.
 */
export function weightedMean(values: readonly number[], weights: readonly number[]): number {
  if (values.length === 0 || values.length !== weights.length) {
    throw new RangeError(`The mean of ${values.length} values with ${weights.length} weights.`);
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0 && weights.every((weight) => weight >= 0))) {
    throw new RangeError("The weights of a mean are 0 or more, and one of them is above 0.");
  }
  return values.reduce((sum, value, i) => sum + weights[i]! * value, 0) / total;
}

/**
 * Standard deviation of a sample, with n - 1 in the denominator (as in Tables 15 to 17, over seeds).
 * NaN for a single value: its spread is unknown, not zero.
 *
 * @throws {RangeError} when there are no values.
 */
export function standardDeviation(values: readonly number[]): number {
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/**
 * The q-quantile of ascending values, with linear interpolation between neighbours (NumPy's default).
 *
 * @throws {RangeError} when there are no values or q is outside [0, 1].
 */
export function quantile(ascending: ArrayLike<number>, q: number): number {
  if (ascending.length === 0) throw new RangeError("A quantile of no values.");
  if (!(q >= 0 && q <= 1)) throw new RangeError(`A quantile takes q from 0 to 1, not ${q}.`);
  const position = q * (ascending.length - 1);
  const below = Math.floor(position);
  const low = ascending[below]!;
  const high = ascending[Math.min(below + 1, ascending.length - 1)]!;
  return low + (high - low) * (position - below);
}
