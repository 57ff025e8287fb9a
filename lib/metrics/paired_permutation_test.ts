import type { Random } from "../tensor/mod.ts";

/** How many sign patterns are looked at: all 2^n when they are no more than `permutations`. */
export interface PermutationOptions {
  readonly permutations: number;
  readonly random: Random;
}

/**
 * Two-sided p-value of a paired permutation test: were the two methods exchangeable, the sign of
 * each concept's difference would be a coin toss; p is the share of sign patterns whose sum is at
 * least as far from 0 as the observed one. Random patterns give (b + 1) / (m + 1), which is never 0
 * (Phipson and Smyth 2010). All differences 0 give 1.
 *
 * @param differences One number per concept: its value (or weighted sum of values) under one method
 * minus that under the other.
 * @throws {RangeError} when there are no differences or one is not finite.
 */
export function pairedPermutationTest(
  differences: readonly number[],
  { permutations, random }: PermutationOptions,
): number {
  if (differences.length === 0) throw new RangeError("A paired test of no differences.");
  const broken = differences.find((difference) => !Number.isFinite(difference));
  if (broken !== undefined) throw new RangeError(`A paired test of the difference ${broken}.`);
  const observed = Math.abs(differences.reduce((sum, difference) => sum + difference, 0));
  const scale = differences.reduce((sum, difference) => sum + Math.abs(difference), 0);
  // Patterns that are equal on paper differ by rounding; they count as equally far.
  const reached = observed - 1e-12 * scale;
  if (2 ** differences.length <= Math.min(permutations, 2 ** 30)) {
    return exactShare(differences, reached);
  }
  const values = Float64Array.from(differences);
  let extreme = 0;
  for (let i = 0; i < permutations; i++) {
    if (Math.abs(randomlySignedSum(values, random)) >= reached) extreme++;
  }
  return (extreme + 1) / (permutations + 1);
}

function exactShare(differences: readonly number[], reached: number): number {
  const patterns = 2 ** differences.length;
  let extreme = 0;
  for (let pattern = 0; pattern < patterns; pattern++) {
    let sum = 0;
    for (let i = 0; i < differences.length; i++) {
      sum += (pattern >>> i) & 1 ? -differences[i]! : differences[i]!;
    }
    if (Math.abs(sum) >= reached) extreme++;
  }
  return extreme / patterns;
}

function randomlySignedSum(values: Float64Array, random: Random): number {
  let sum = 0;
  let bits = 0;
  for (let i = 0; i < values.length; i++) {
    if (i % 32 === 0) bits = random.bits();
    sum += values[i]! * (1 - 2 * (bits & 1));
    bits >>>= 1;
  }
  return sum;
}
