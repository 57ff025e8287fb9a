import type { Level, Levels, Run } from "../experiment/mod.ts";
import type { CrossedValues } from "../metrics/mod.ts";
import { cellName, type CellValues, cellValues, conceptOfUnit } from "./_cell_values.ts";
import { measureAt } from "./_cells.ts";
import { cellLevels, comparedFactor, controlOf, factorOf, fixedFactors } from "./_factors.ts";
import type { GroupedRuns } from "./_group_runs.ts";
import type { ResultSpec } from "./result_spec.ts";

/** Two cells that differ in one factor: the values of one less those of the other. */
export interface ComparedPair {
  readonly factor: string;
  readonly level: Level;
  readonly against: Level;
  /** The levels of every other factor, and `measure`. */
  readonly levels: Levels;
  /** Sorted. */
  readonly concepts: readonly string[];
  /** By seed and concept. */
  readonly values: CrossedValues;
}

/** A measured cell with its values. */
interface CellOfValues {
  readonly name: string;
  readonly levels: Levels;
  readonly values: CellValues;
}

/**
 * The pairs of cells that a result compares: of the compared factor each level with the nearest
 * measured one before it, after a control with that one; then the pairs that the experiment names, of
 * which both levels were measured.
 *
 * @throws {Error} when a cell is incomplete or two cells were measured on other concepts or images.
 */
export function comparedPairs(spec: ResultSpec, { seeds, runsOf }: GroupedRuns): ComparedPair[] {
  const compared = comparedFactor(spec);
  if (spec.columns.length === 0 || isOfDeviations(spec)) return [];
  const cells = cellsOf(spec, { seeds, runsOf });
  const fixed = fixedFactors(spec).map(({ name }) => name);
  const named = [...new Set(spec.contrasts.pairs.map(({ factor }) => factor))]
    .filter((name) => spec.factors.some((factor) => factor.name === name) && !fixed.includes(name));
  const factors = [...new Set([...compared === null ? [] : [compared], ...named])];
  return factors.flatMap((factor) => {
    const groups = Map.groupBy(
      cells,
      ({ levels }) => JSON.stringify({ ...levels, [factor]: null }),
    );
    return [...groups.values()].flatMap((peers) => {
      const order = factorOf(spec, factor).levels.map(({ level }) => level);
      const at = new Map(peers.map((cell) => [cell.levels[factor]!, cell]));
      const measured = order.filter((level) => at.has(level));
      const pairs = [
        ...factor === compared ? consecutive(measured, controlOf(spec)) : [],
        ...spec.contrasts.pairs.filter((pair) => pair.factor === factor)
          .map(({ level, against }) => [level, against] as const)
          .filter((pair) => pair.every((level) => at.has(level))),
      ];
      const once = new Map(pairs.map((pair) => [JSON.stringify(pair), pair]));
      return [...once.values()].map(([level, against]) =>
        difference(factor, [at.get(level)!, at.get(against)!])
      );
    });
  });
}

const isOfDeviations = ({ show }: ResultSpec) => show.as === "table" && show.statistic === "std";

function consecutive(levels: readonly Level[], control: Level | undefined): [Level, Level][] {
  const at = control === undefined ? -1 : levels.indexOf(control);
  return levels.slice(1).map((level, i) => [level, at >= 0 && i >= at ? control! : levels[i]!]);
}

function cellsOf(spec: ResultSpec, { seeds, runsOf }: GroupedRuns): CellOfValues[] {
  return spec.rows.flatMap((row) =>
    spec.columns.flatMap((column) => {
      const levels = cellLevels(spec, [row, column]);
      const runs: readonly Run[] | undefined = runsOf(row, column);
      if (runs === undefined || measureAt(spec, levels).aggregate === "least") return [];
      const name = cellName(levels, spec);
      const values = cellValues(runs, { seeds, name });
      return new Set(values.units.map(conceptOfUnit)).size < 2 ? [] : [{ name, levels, values }];
    })
  );
}

function difference(
  factor: string,
  [cell, other]: readonly [CellOfValues, CellOfValues],
): ComparedPair {
  const { units, weights, bySeed } = cell.values;
  const isPaired = units.length === other.values.units.length &&
    units.every((unit, i) =>
      unit === other.values.units[i] && weights[i] === other.values.weights[i]
    );
  if (!isPaired) {
    throw new Error(
      `Comparing ${cell.name} with ${other.name}: they were not measured on the same concepts, ` +
        `classes and images; a paired test needs the same.`,
    );
  }
  const byConcept = Map.groupBy(units.keys(), (i) => conceptOfUnit(units[i]!));
  const members = [...byConcept.values()];
  const { [factor]: level, ...levels } = cell.levels;
  return {
    factor,
    level: level!,
    against: other.levels[factor]!,
    levels,
    concepts: [...byConcept.keys()],
    values: {
      weights: members.map((of) => of.reduce((sum, i) => sum + weights[i]!, 0)),
      sums: bySeed.map((values, seed) =>
        members.map((of) =>
          of.reduce(
            (sum, i) => sum + weights[i]! * (values[i]! - other.values.bySeed[seed]![i]!),
            0,
          )
        )
      ),
    },
  };
}
