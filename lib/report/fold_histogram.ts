import type { Run } from "../experiment/mod.ts";
import { groupRuns } from "./_group_runs.ts";
import { type Histogram, histogramVersion, type ResultHistogram } from "./result.ts";
import type { ResultSpec } from "./result_spec.ts";

/**
 * Folds measured runs into histograms: all values of a row's levels (of every concept, image and
 * seed) are counted in bins of equal width between the lowest and the highest of them.
 *
 * @throws {Error} when a value is not finite.
 */
export function foldHistogram(runs: readonly Run[], spec: ResultSpec): ResultHistogram {
  if (spec.show.as !== "histogram") {
    throw new TypeError(`Folding ${spec.id} into histograms; it shows ${spec.show.as}.`);
  }
  const { bins } = spec.show;
  const { rows, ...about } = spec;
  const { seeds, runsOf } = groupRuns(runs, spec);
  return {
    schema: "lg-cav/result-histogram",
    version: histogramVersion,
    ...about,
    seeds,
    rows: rows.map((row) => {
      const values = runsOf(row)?.map(({ value }) => value);
      const histogram = values === undefined
        ? { status: "not run" as const }
        : histogramOf(values, { bins, name: `${spec.id}, ${row.title}` });
      return { ...row, histogram };
    }),
  };
}

function histogramOf(
  values: readonly number[],
  { bins, name }: { readonly bins: number; readonly name: string },
): Histogram {
  const broken = values.find((value) => !Number.isFinite(value));
  if (broken !== undefined) throw new Error(`Counting the values of ${name}: one is ${broken}.`);
  // Ascending, so that a sum does not depend on the order of the runs.
  const ascending = values.toSorted((a, b) => a - b);
  const mean = ascending.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = ascending.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const edges = binEdges(ascending[0]!, { high: ascending.at(-1)!, bins });
  const counts = new Array<number>(bins).fill(0);
  let bin = 0;
  for (const value of ascending) {
    while (bin < bins - 1 && value >= edges[bin + 1]!) bin++;
    counts[bin]!++;
  }
  const deviation = Math.sqrt(squares / values.length);
  return { status: "measured", values: values.length, mean, deviation, edges, counts };
}

/** Edges of bins of equal width; values that are all equal get an interval of width 1 around them. */
function binEdges(
  low: number,
  { high, bins }: { readonly high: number; readonly bins: number },
): number[] {
  if (low === high) return binEdges(low - 0.5, { high: high + 0.5, bins });
  return Array.from(
    { length: bins + 1 },
    (_, i) => i === bins ? high : low + i * ((high - low) / bins),
  );
}
