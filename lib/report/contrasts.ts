import type { Level, Levels, Run } from "../experiment/mod.ts";
import {
  crossedBootstrap,
  type CrossedValues,
  drawResamples,
  drawSeeds,
  drawSigns,
  equivalencePValue,
  holm,
  type NeededReplications,
  quantile,
  replicationsNeeded,
  signFlipTest,
  type VarianceComponents,
  varianceComponents,
} from "../metrics/mod.ts";
import { createRandom } from "../tensor/mod.ts";
import { type ComparedPair, comparedPairs } from "./_compared_pairs.ts";
import { type GroupedRuns, groupRuns } from "./_group_runs.ts";
import type { ResultSpec, StatisticsSettings } from "./result_spec.ts";

/**
 * What is said of an effect: `equivalent` where it lies within the margin, else `above` or `below` 0
 * where the corrected p-value and the interval agree, else `undecided`.
 */
export type Verdict = "above" | "below" | "equivalent" | "undecided";

/** An effect of one level of a factor against another one, on the same concepts and seeds. */
export interface Contrast {
  readonly factor: string;
  readonly level: Level;
  readonly against: Level;
  /** The levels of the other factors, `measure` among them; none of those that it is pooled over. */
  readonly levels: Levels;
  /** The factors over whose levels the mean is taken; null for the contrast of two single cells. */
  readonly pooledOver: readonly string[] | null;
  /** How many pairs of cells it is the mean of. */
  readonly cells: number;
  readonly concepts: number;
  readonly seeds: number;
  /** Difference of the means, in the unit of the measure. */
  readonly effect: number;
  /** Percentile interval of a bootstrap that resamples concepts and seeds. */
  readonly low: number;
  readonly high: number;
  /** Two-sided paired permutation test, a concept's values changing sign together; and Holm's. */
  readonly pValue: number;
  readonly correctedPValue: number;
  /** Two one-sided tests of the margin; null of a measure for which the experiment states none. */
  readonly equivalence: {
    readonly margin: number;
    readonly pValue: number;
    readonly correctedPValue: number;
  } | null;
  readonly verdict: Verdict;
  readonly variance: VarianceComponents;
  /** What would settle it; null where it is settled. */
  readonly toSettle: NeededReplications | null;
}

/**
 * The contrasts of a table or of lines: each level of the compared factor against the one before it (or
 * the control), and the pairs that the experiment names, of each pair of cells and pooled over the
 * factors of `contrasts.over`. P-values are corrected among the pooled ones and, apart from them, among
 * those of single cells. None of least values, of measures of a single value, of deviations.
 *
 * @param options.grouped the runs by cell, where they are grouped already.
 * @throws {Error} when a cell is incomplete or two cells were measured on other concepts or images.
 */
export function foldContrasts(
  runs: readonly Run[],
  spec: ResultSpec,
  { grouped = groupRuns(runs, spec) }: { readonly grouped?: GroupedRuns } = {},
): Contrast[] {
  const { seeds, runsOf } = grouped;
  const pairs = comparedPairs(spec, { seeds, runsOf });
  const test = testing(spec.statistics, seeds.length);
  const over = (pair: ComparedPair) =>
    spec.contrasts.over.filter((name) => name !== pair.factor && pair.levels[name] !== undefined);
  const pooled = Map.groupBy(pairs, (pair) => {
    const without = Object.entries(pair.levels).filter(([name]) => !over(pair).includes(name));
    return JSON.stringify([pair.factor, pair.level, pair.against, without]);
  });
  const families = [
    [...pooled.values()].map((members) =>
      test(pool(members, over(members[0]!)), { pooledOver: over(members[0]!) })
    ),
    pairs.map((pair) => test({ ...pair, cells: 1 }, { pooledOver: null })),
  ];
  return families.flatMap((family) => settle(family, spec.statistics));
}

/** A pair of cells, or several as one. */
interface Pooled extends ComparedPair {
  readonly cells: number;
}

/**
 * The mean effect of several pairs of cells: what a concept contributes under a seed is summed over
 * them, so that its values on all backbones are drawn, and change sign, together.
 */
function pool(pairs: readonly ComparedPair[], over: readonly string[]): Pooled {
  const [first] = pairs as readonly [ComparedPair];
  const names = [...new Set(pairs.flatMap(({ concepts }) => concepts))].sort();
  const totals = pairs.map(({ values }) => values.weights.reduce((sum, weight) => sum + weight, 0));
  const at = pairs.map(({ concepts }) => new Map(concepts.map((concept, i) => [concept, i])));
  const shareOf = (concept: string, of: (pair: ComparedPair, i: number) => number) =>
    pairs.reduce((sum, pair, k) => {
      const i = at[k]!.get(concept);
      return i === undefined ? sum : sum + of(pair, i) / (totals[k]! * pairs.length);
    }, 0);
  const levels = Object.entries(first.levels).filter(([name]) => !over.includes(name));
  return {
    ...first,
    levels: Object.fromEntries(levels),
    cells: pairs.length,
    concepts: names,
    values: {
      weights: names.map((concept) => shareOf(concept, ({ values }, i) => values.weights[i]!)),
      sums: first.values.sums.map((_, seed) =>
        names.map((concept) => shareOf(concept, ({ values }, i) => values.sums[seed]![i]!))
      ),
    },
  };
}

/** A contrast before the p-values of its family are known. */
type Tested = Omit<Contrast, "correctedPValue" | "verdict" | "toSettle">;

/** Tests one contrast after the other with shared draws. */
function testing(statistics: StatisticsSettings, seeds: number) {
  const { confidence, bootstrapResamples: resamples, permutations, margins } = statistics;
  const random = createRandom(statistics.seed).split("contrasts");
  const known = new Map<number, ReturnType<typeof draw>>();
  const patterns = seeds === 0
    ? undefined
    : drawSeeds(seeds, { resamples, random: random.split("seeds").split(seeds) });
  const draw = (clusters: number) => ({
    concepts: drawResamples(clusters, {
      resamples,
      random: random.split("concepts").split(clusters),
    }),
    signs: drawSigns(clusters, { permutations, random: random.split("signs").split(clusters) }),
  });
  const drawn = (clusters: number) => {
    const draws = known.get(clusters) ?? draw(clusters);
    known.set(clusters, draws);
    return draws;
  };
  return (
    { factor, level, against, levels, cells, concepts, values }: Pooled,
    { pooledOver }: Pick<Contrast, "pooledOver">,
  ): Tested => {
    const { concepts: conceptDraws, signs } = drawn(concepts.length);
    const effects = crossedBootstrap(values, { concepts: conceptDraws, seeds: patterns! });
    const sums = concepts.map((_, i) => values.sums.reduce((sum, of) => sum + of[i]! / seeds, 0));
    const margin = margins[`${levels["measure"]}`];
    const equivalence = margin === undefined
      ? null
      : { margin, pValue: equivalencePValue(effects, margin), correctedPValue: NaN };
    effects.sort();
    const tail = (1 - confidence) / 2;
    return {
      factor,
      level,
      against,
      levels,
      pooledOver,
      cells,
      concepts: concepts.length,
      seeds,
      effect: effectOf(values),
      low: quantile(effects, tail),
      high: quantile(effects, 1 - tail),
      pValue: signFlipTest(sums, signs),
      equivalence,
      variance: varianceComponents(values),
    };
  };
}

function effectOf({ sums, weights }: CrossedValues): number {
  const total = sums.reduce((all, of) => all + of.reduce((sum, value) => sum + value, 0), 0);
  return total / sums.length / weights.reduce((sum, weight) => sum + weight, 0);
}

/** Corrects the p-values of a family and says what follows of each contrast. */
function settle(
  family: readonly Tested[],
  { confidence, power }: StatisticsSettings,
): Contrast[] {
  const level = 1 - confidence;
  const differences = holm(family.map(({ pValue }) => pValue));
  const tested = family.filter(({ equivalence }) => equivalence !== null);
  const equivalences = holm(tested.map(({ equivalence }) => equivalence!.pValue));
  return family.map((contrast, i): Contrast => {
    const correctedPValue = differences[i]!;
    const rank = tested.indexOf(contrast);
    const equivalence = contrast.equivalence === null
      ? null
      : { ...contrast.equivalence, correctedPValue: equivalences[rank]! };
    const verdict = verdictOf({ ...contrast, correctedPValue, equivalence }, level);
    const toSettle = verdict !== "undecided" ? null : replicationsNeeded(contrast.variance, {
      ...contrast,
      margin: equivalence?.margin ?? null,
      level: level / family.length,
      power,
    });
    return { ...contrast, correctedPValue, equivalence, verdict, toSettle };
  });
}

/** See {@linkcode Verdict}; `level` is that of the corrected p-values. */
export function verdictOf(
  { correctedPValue, equivalence, low, high }: Pick<
    Contrast,
    "correctedPValue" | "equivalence" | "low" | "high"
  >,
  level: number,
): Verdict {
  if (equivalence !== null && equivalence.correctedPValue < level) return "equivalent";
  if (correctedPValue >= level) return "undecided";
  return low > 0 ? "above" : high < 0 ? "below" : "undecided";
}
