import type { Levels, Run } from "../experiment/mod.ts";
import { shownFactors } from "./_factors.ts";
import type { ResultSpec } from "./result_spec.ts";

/**
 * What a cell is called in messages and as a stream of random numbers: its method and backbone and
 * the other levels that the result shows. It does not depend on which other levels stand beside it.
 */
export function cellName(levels: Levels, { factors, show }: ResultSpec): string {
  const shown = shownFactors(show);
  const others = factors.map(({ name }) => name)
    .filter((name) => shown.includes(name) && name !== "method" && name !== "backbone")
    .map((name) => `, ${name} ${levels[name]}`);
  return `${levels["method"]} on ${levels["backbone"]}${others.join("")}`;
}

/** The values of a cell, complete: one of every unit (concept, class and image) and seed. */
export interface CellValues {
  /** Sorted. */
  readonly units: readonly string[];
  /** By unit, the same for every seed. */
  readonly weights: readonly number[];
  /** By seed and unit. */
  readonly bySeed: readonly (readonly number[])[];
}

/**
 * The values of a cell by seed and unit.
 *
 * @throws {Error} when a seed lacks a value, has one twice or one that is not finite, or weights differ.
 */
export function cellValues(
  runs: readonly Run[],
  { seeds, name }: { readonly seeds: readonly number[]; readonly name: string },
): CellValues {
  const weightOf = new Map(runs.map((run) => [unitName(run), run.weight]));
  const units = [...weightOf.keys()].sort();
  const ofSeeds = Map.groupBy(runs, ({ levels }) => Number(levels["seed"]));
  const bySeed = seeds.map((seed) => {
    const ofSeed = ofSeeds.get(seed) ?? [];
    const values = new Map(ofSeed.map((run) => [unitName(run), run.value]));
    const missing = units.find((unit) => !Number.isFinite(values.get(unit)));
    if (missing !== undefined || ofSeed.length !== units.length) {
      throw new Error(
        `Tabulating ${name}: seed ${seed} has ${ofSeed.length} values for ${units.length} ` +
          `concepts or pairs${
            missing === undefined ? "" : `, none that is finite for ${missing.trim()}`
          }; ` +
          `a cell needs one of each. Measure it again.`,
      );
    }
    return units.map((unit) => values.get(unit)!);
  });
  const reweighted = runs.find((run) => run.weight !== weightOf.get(unitName(run)));
  if (reweighted !== undefined) {
    throw new Error(
      `Tabulating ${name}: ${
        unitName(reweighted).trim()
      } has one weight for one seed and another ` +
        `for another. Measure it again.`,
    );
  }
  return { units, weights: units.map((unit) => weightOf.get(unit)!), bySeed };
}

const unitName = (run: Run) => `${run.concept}\t${run.class}\t${run.image}`;
/** The concept of a unit's name. */
export const conceptOfUnit = (unit: string) => unit.slice(0, unit.indexOf("\t"));
