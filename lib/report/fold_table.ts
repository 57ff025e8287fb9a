import type { Levels, Run } from "../experiment/mod.ts";
import {
  bootstrapInterval,
  drawResamples,
  mean,
  type Resamples,
  standardDeviation,
  weightedMean,
} from "../metrics/mod.ts";
import { createRandom } from "../tensor/mod.ts";
import { cellName, type CellValues, cellValues, conceptOfUnit } from "./_cell_values.ts";
import { measureAt } from "./_cells.ts";
import { cellLevels, comparedFactor, controlOf } from "./_factors.ts";
import { type GroupedRuns, groupRuns } from "./_group_runs.ts";
import { compare, type Comparison, type ConceptValues } from "./comparison.ts";
import { paperNumberOf } from "./paper_numbers.ts";
import { type Cell, type ResultTable, tableVersion } from "./result.ts";
import type { ResultSpec, ShownMeasure, StatisticsSettings } from "./result_spec.ts";

/**
 * Folds measured runs into a table. Runs of other levels, measures and concepts are passed over; a
 * cell without runs is "not run", or "quoted" where the paper quotes it. The order of the runs does
 * not matter.
 *
 * @param options.grouped the runs by cell, where they are grouped already.
 * @throws {Error} when a cell lacks a value of a seed that others have, or holds one twice or one
 * that is not finite: such a cell would not be what it says.
 */
export function foldTable(
  runs: readonly Run[],
  spec: ResultSpec,
  { grouped = groupRuns(runs, spec) }: { readonly grouped?: GroupedRuns } = {},
): ResultTable {
  const { rows, beside, ...about } = spec;
  const { seeds, runsOf } = grouped;
  const measured = measureCells(spec);
  return {
    schema: "lg-cav/result-table",
    version: tableVersion,
    ...about,
    seeds,
    rows: rows.map((row) => ({
      ...row,
      cells: spec.columns.map((column): Cell => {
        const levels = cellLevels(spec, [row, column]);
        const ofCell = runsOf(row, column);
        if (ofCell !== undefined) return measured(ofCell, { levels, seeds });
        const paper = paperNumberOf(spec.paperNumbers, levels);
        return paper?.quoted ? { status: "quoted", mean: paper.value } : { status: "not run" };
      }),
    })),
    ...beside && { beside: beside.map((below) => foldTable(runs, below)) },
  };
}

/** Folds one cell after the other, in the order of rows and columns. */
function measureCells(spec: ResultSpec) {
  const { statistics } = spec;
  const resamplesOf = sharedResamples(statistics);
  const random = createRandom(statistics.seed);
  const compared = comparedFactor(spec);
  const control = controlOf(spec);
  /** What the next of some cells that are compared is compared with. */
  const before = new Map<string, FoldedValues>();
  /** Those whose control has come. */
  const controlled = new Set<string>();
  return (
    runs: readonly Run[],
    { levels, seeds }: { readonly levels: Levels; readonly seeds: readonly number[] },
  ): Cell => {
    const { aggregate } = measureAt(spec, levels);
    const name = cellName(levels, spec);
    const cell = cellValues(runs, { seeds, name });
    const level = compared === null ? "" : levels[compared]!;
    const moments = momentsOverSeeds(cell, aggregate);
    const values = { ...moments, ...conceptValues(cell, { name, level }) };
    const options = {
      confidence: statistics.confidence,
      permutations: statistics.permutations,
      resamples: resamplesOf(values.clusters.length),
      random: random.split("permutation").split(name),
    };
    const peers = compared === null ? name : JSON.stringify({ ...levels, [compared]: null });
    const against = before.get(peers);
    if (!controlled.has(peers)) before.set(peers, values);
    if (compared !== null && level === control) controlled.add(peers);
    const compareBy = aggregate === "least" ? compareLeast : compare;
    return {
      status: "measured",
      ...moments,
      ...aggregate === "least" ? noInterval : bootstrapInterval(values.clusters, options),
      concepts: values.clusters.length,
      values: values.units.length,
      against: against === undefined ? null : compareBy({ values, against }, options),
    };
  };
}

/** The values of a cell with what they come to. */
interface FoldedValues extends ConceptValues {
  readonly mean: number;
}

/** The least of some values is no mean of resampled ones: a bootstrap of it is not consistent. */
const noInterval = { low: null, high: null };

function compareLeast(
  { values, against }: { readonly values: FoldedValues; readonly against: FoldedValues },
): Comparison {
  const { level } = against;
  return { level, difference: values.mean - against.mean, ...noInterval, pValue: null };
}

function momentsOverSeeds(
  { weights, bySeed }: CellValues,
  aggregate: ShownMeasure["aggregate"],
) {
  const ofSeeds = bySeed.map((values) =>
    aggregate === "least" ? Math.min(...values) : weightedMean(values, weights)
  );
  return { mean: mean(ofSeeds), std: ofSeeds.length < 2 ? null : standardDeviation(ofSeeds) };
}

function conceptValues(
  { units, weights, bySeed }: CellValues,
  cell: Pick<ConceptValues, "name" | "level">,
): ConceptValues {
  const averages = units.map((_, i) => mean(bySeed.map((values) => values[i]!)));
  const byConcept = Map.groupBy(units.keys(), (i) => conceptOfUnit(units[i]!));
  const clusters = [...byConcept.values()].map((members) => ({
    sum: members.reduce((sum, i) => sum + weights[i]! * averages[i]!, 0),
    weight: members.reduce((sum, i) => sum + weights[i]!, 0),
  }));
  return { ...cell, units, weights, clusters };
}

/** One set of resamples for each number of concepts: the cells of a table share it. */
function sharedResamples(statistics: StatisticsSettings): (clusters: number) => Resamples {
  const drawn = new Map<number, Resamples>();
  return (clusters) => {
    const resamples = drawn.get(clusters) ?? drawResamples(clusters, {
      resamples: statistics.bootstrapResamples,
      random: createRandom(statistics.seed).split("bootstrap").split(clusters),
    });
    drawn.set(clusters, resamples);
    return resamples;
  };
}
