/**
 * Pearson's correlation of two lists; null when either is constant, since nothing can be said.
 *
 * @throws {RangeError} when the lists differ in length or have fewer than two values.
 */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  const count = a.length;
  if (count < 2 || count !== b.length) {
    throw new RangeError(`The correlation of ${count} values with ${b.length}.`);
  }
  const [meanA, meanB] = [a, b].map((values) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += values[i]!;
    return sum / count;
  }) as [number, number];
  let [product, squaresA, squaresB] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const [x, y] = [a[i]! - meanA, b[i]! - meanB];
    product += x * y;
    squaresA += x * x;
    squaresB += y * y;
  }
  const scale = Math.sqrt(squaresA * squaresB);
  return scale > 0 ? Math.max(-1, Math.min(1, product / scale)) : null;
}
