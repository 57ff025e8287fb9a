import { benjaminiHochberg } from "./benjamini_hochberg.ts";
import { empiricalPValue } from "./empirical_p_value.ts";

/** A value, and what controls get in its place. */
export interface ControlledValue {
  readonly value: number;
  /** The values of each kind of control, such as CAVs of random words, ascending. */
  readonly controls: readonly ArrayLike<number>[];
}

/**
 * P-values of some values that must stand out from every kind of control: of each the largest of its
 * p-values (an intersection-union test, Berger 1982: no correction for the kinds is due), then adjusted
 * over all values.
 *
 * @returns One for each value: it is significant at a false discovery rate when at most that.
 * @throws {RangeError} when a value has no controls.
 */
export function controlledPValues(values: readonly ControlledValue[]): number[] {
  return benjaminiHochberg(values.map(({ value, controls }) => {
    if (controls.length === 0) throw new RangeError("A test against no controls.");
    return Math.max(...controls.map((ofKind) => empiricalPValue(value, ofKind)));
  }));
}
