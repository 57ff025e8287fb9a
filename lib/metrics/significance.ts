import { benjaminiHochberg } from "./benjamini_hochberg.ts";
import { empiricalPValue } from "./empirical_p_value.ts";

/** A value, and what controls get in its place. */
export interface ControlledValue {
  readonly value: number;
  /** Ascending. */
  readonly controls: ArrayLike<number>;
}

/**
 * The two-sided p-value of each value among its controls, adjusted over all values: it is significant
 * at a false discovery rate when at most that. Controls of several kinds, as many of each, stand for
 * their mixture: of k kinds, the p-value against one alone is at most about k times this one.
 *
 * @throws {RangeError} when a value has no controls.
 */
export function controlledPValues(values: readonly ControlledValue[]): number[] {
  return benjaminiHochberg(
    values.map(({ value, controls }) => empiricalPValue(value, controls)),
  );
}
