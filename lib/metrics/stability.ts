import { norm } from "../tensor/mod.ts";
import { mean } from "./mean.ts";

/**
 * Stability of a CAV over seeds: the mean angle in degrees to the CAVs of the same concept and other
 * seeds. Independent random directions stand at 90 degrees on average; so does a zero CAV.
 *
 * @param vector of one seed, [dim].
 * @param others of each other seed, [dim].
 * @throws {RangeError} when there is no other seed.
 */
export function stability(
  vector: ArrayLike<number>,
  others: readonly ArrayLike<number>[],
): number {
  if (others.length === 0) throw new RangeError("The stability of a CAV of one seed.");
  return mean(others.map((other) => degreesBetween(vector, other)));
}

/** 2 atan2(|u - v|, |u + v|) of unit u and v: exact to rounding near 0 and 180, as acos is not. */
function degreesBetween(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [u, v] = [unit(a), unit(b)];
  const apart = norm(u.map((x, i) => x - v[i]!));
  const together = norm(u.map((x, i) => x + v[i]!));
  if (apart === 0 && together === 0) return 90;
  return (360 / Math.PI) * Math.atan2(apart, together);
}

function unit(vector: ArrayLike<number>): Float64Array {
  const length = norm(vector) || 1;
  return Float64Array.from(vector, (x) => x / length);
}
