import type { Levels, Run } from "../experiment/mod.ts";
import {
  bootstrapInterval,
  drawResamples,
  mean,
  type Resamples,
  standardDeviation,
} from "../metrics/mod.ts";
import { createRandom } from "../tensor/mod.ts";
import { cellLevels, comparedFactor, shownFactors } from "./_factors.ts";
import { groupRuns } from "./_group_runs.ts";
import { compare, type ConceptValues } from "./comparison.ts";
import { paperNumberOf } from "./paper_numbers.ts";
import { type Cell, type ResultTable, tableVersion } from "./result.ts";
import type { ResultSpec, StatisticsSettings } from "./result_spec.ts";

/**
 * Folds measured runs into a table. Runs of other levels, measures and concepts are passed over; a
 * cell without runs is "not run", or "quoted" where the paper quotes it. The order of the runs does
 * not matter.
 *
 * @throws {Error} when a cell lacks a value of a seed that others have, or holds one twice or one
 * that is not finite: such a cell would not be what it says.
 */
export function foldTable(runs: readonly Run[], spec: ResultSpec): ResultTable {
  const { rows, ...about } = spec;
  const { seeds, runsOf } = groupRuns(runs, spec);
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
  };
}

/** Folds one cell after the other, in the order of rows and columns. */
function measureCells(spec: ResultSpec) {
  const { statistics } = spec;
  const resamplesOf = sharedResamples(statistics);
  const random = createRandom(statistics.seed);
  const compared = comparedFactor(spec);
  const before = new Map<string, ConceptValues>();
  return (
    runs: readonly Run[],
    { levels, seeds }: { readonly levels: Levels; readonly seeds: readonly number[] },
  ): Cell => {
    const name = cellName(levels, spec);
    const bySeed = valuesBySeed(runs, { seeds, name });
    const level = compared === null ? "" : levels[compared]!;
    const values = conceptValues(bySeed, { name, level });
    const options = {
      confidence: statistics.confidence,
      permutations: statistics.permutations,
      resamples: resamplesOf(values.clusters.length),
      random: random.split("permutation").split(name),
    };
    const peers = compared === null ? name : JSON.stringify({ ...levels, [compared]: null });
    const against = before.get(peers);
    before.set(peers, values);
    return {
      status: "measured",
      ...momentsOverSeeds(bySeed),
      ...bootstrapInterval(values.clusters, options),
      concepts: values.clusters.length,
      values: values.units.length,
      against: against === undefined ? null : compare({ values, against }, options),
    };
  };
}

/**
 * What a cell is called in messages and as a stream of random numbers: its method and backbone and
 * the other levels that the result shows. It does not depend on which other levels stand beside it.
 */
function cellName(levels: Levels, { factors, show }: ResultSpec): string {
  const shown = shownFactors(show);
  const others = factors.map(({ name }) => name)
    .filter((name) => shown.includes(name) && name !== "method" && name !== "backbone")
    .map((name) => `, ${name} ${levels[name]}`);
  return `${levels["method"]} on ${levels["backbone"]}${others.join("")}`;
}

/** Value of every unit (concept, class and image, sorted) of every seed, checked to be complete. */
function valuesBySeed(
  runs: readonly Run[],
  { seeds, name }: { readonly seeds: readonly number[]; readonly name: string },
): ReadonlyMap<string, number>[] {
  const units = [...new Set(runs.map(unitName))].sort();
  const bySeed = Map.groupBy(runs, ({ levels }) => Number(levels["seed"]));
  return seeds.map((seed) => {
    const ofSeed = bySeed.get(seed) ?? [];
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
    return new Map(units.map((unit) => [unit, values.get(unit)!]));
  });
}

function momentsOverSeeds(bySeed: readonly ReadonlyMap<string, number>[]) {
  const means = bySeed.map((values) => mean([...values.values()]));
  return { mean: mean(means), std: means.length < 2 ? null : standardDeviation(means) };
}

function conceptValues(
  bySeed: readonly ReadonlyMap<string, number>[],
  cell: Pick<ConceptValues, "name" | "level">,
): ConceptValues {
  const units = [...bySeed[0]!.keys()];
  const averages = units.map((unit) => mean(bySeed.map((values) => values.get(unit)!)));
  const byConcept = Map.groupBy(units.keys(), (i) => conceptOfUnit(units[i]!));
  const clusters = [...byConcept.values()].map((members) => ({
    sum: members.reduce((sum, i) => sum + averages[i]!, 0),
    count: members.length,
  }));
  return { ...cell, units, clusters };
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

const unitName = (run: Run) => `${run.concept}\t${run.class}\t${run.image}`;
const conceptOfUnit = (unit: string) => unit.slice(0, unit.indexOf("\t"));
