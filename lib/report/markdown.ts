import type { Level } from "../experiment/mod.ts";
import { aboutResult } from "./_about.ts";
import {
  aggregates,
  bestCells,
  bestWord,
  fullTitle,
  type PlacedCell,
  placedCells,
  resampledNoun,
  shownValue,
} from "./_cells.ts";
import {
  columnFactors,
  comparedFactor,
  controlOf,
  factorOf,
  nounOf,
  rowFactors,
} from "./_factors.ts";
import { formatDifference, formatMoment, formatPValue, formatValue } from "./_format.ts";
import { markdownTable } from "./_markdown_table.ts";
import { contrastBlocks } from "./_describe_contrasts.ts";
import { galleryBlocks } from "./gallery/mod.ts";
import { paperNumberOf } from "./paper_numbers.ts";
import type { MeasuredCell, Result, ResultHistogram, ResultTable } from "./result.ts";

/**
 * table.md, for a reader. Of a table or lines: means and standard deviations as the paper prints
 * them, then intervals and tests, then, where the spec holds the paper's numbers, measured, paper
 * and difference one below the other. Of histograms: their moments. Of galleries: what is shown.
 */
export function markdown(result: Result): string {
  const blocks = result.schema === "lg-cav/result-gallery"
    ? galleryBlocks(result)
    : result.schema === "lg-cav/result-histogram"
    ? histogramBlocks(result)
    : result.show.as === "table" && result.show.statistic === "std"
    ? deviationBlocks(result)
    : meanBlocks(result);
  return [
    `# ${fullTitle(result)}`,
    aboutResult(result),
    result.prediction === null ? "" : `Expected before the first run: ${result.prediction}`,
    `![The figure; it is drawn where a browser is installed](figure.svg)`,
    ...blocks,
  ].filter((block) => block !== "").join("\n\n") + "\n";
}

function meanBlocks(table: ResultTable): string[] {
  return [
    means(table),
    `${meansSentence(table)}${boldSentence(table)}${marks(table)}${randomSentence(table)}`,
    `## Intervals and tests`,
    intervals(table),
    `Percentile bootstrap interval (${percent(table)}) of the mean, resampling ` +
    `${resampledNoun(table)}.${leastSentence(table)}`,
    ...comparisons(table),
    ...contrastBlocks(table),
    ...paperBlocks(table),
    ...(table.beside ?? []).flatMap(besideBlocks),
  ];
}

/** A table that stands below: its means, and what they are of. */
function besideBlocks(table: ResultTable): string[] {
  return [`## ${table.title}`, means(table), meansSentence(table)];
}

function deviationBlocks(table: ResultTable): string[] {
  return [
    grid(table, ({ cell }) => {
      if (cell.status !== "measured") return cell.status;
      return cell.std === null ? "one seed" : formatValue(cell.std);
    }),
    `Standard deviation over seeds (n - 1) of ${aggregates(table)}.${marks(table)}`,
    `## Means`,
    grid(table, ({ cell }) => cell.status === "measured" ? formatValue(cell.mean) : cell.status),
    `Mean over the same seeds.`,
    ...paperBlocks(table),
  ];
}

function histogramBlocks({ rows, ...about }: ResultHistogram): string[] {
  const names = rowFactors(about.show).map((name) => factorOf(about, name).title).join(", ");
  const header = [names, "values", "mean", "deviation", "lowest", "highest"];
  const lines = rows.map(({ title, histogram }) => {
    if (histogram.status === "not run") return [title, "not run", "", "", "", ""];
    const { values, mean, deviation, edges } = histogram;
    const moments = [mean, deviation, edges[0]!, edges.at(-1)!].map(formatMoment);
    return [title, String(values), ...moments];
  });
  return [
    markdownTable([header, ...lines]),
    `Values of all concepts, images and seeds; the deviation is the population's, and with the mean ` +
    `that of the Gaussian in the figure. table.csv holds the bins.`,
  ];
}

/** Means and deviations, the best ones bold. */
function means(table: ResultTable): string {
  const best = bestCells(table);
  return grid(table, ({ cell }) => {
    if (cell.status === "not run") return "not run";
    if (cell.status === "quoted") return `${formatValue(cell.mean)} †`;
    const spread = cell.std === null ? "" : ` ± ${formatValue(cell.std)}`;
    const mean = formatValue(cell.mean);
    return (best.has(cell) ? `**${mean}**` : mean) + spread;
  });
}

function meansSentence(table: ResultTable): string {
  return `Mean over seeds of ${aggregates(table)}, ± the standard deviation over seeds (n - 1).`;
}

function boldSentence(table: ResultTable): string {
  const word = bestWord(table);
  if (word === null) return "";
  const compared = nounOf(table, comparedFactor(table)!);
  return ` Bold: the ${word} measured mean of the cells that differ in ${compared} only.`;
}

function marks(table: ResultTable): string {
  const states = new Set(placedCells(table).map(({ cell }) => cell.status));
  return (states.has("quoted") ? " †: quoted by the paper from other work, not measured." : "") +
    (states.has("not run") ? " not run: there is no run of this cell." : "");
}

function leastSentence({ measures }: ResultTable): string {
  const least = measures.filter(({ aggregate }) => aggregate === "least");
  if (least.length === 0) return "";
  return ` ${
    least.map(({ title }) => title).join(", ")
  }: a least value, which has no interval and ` +
    `no test.`;
}

function randomSentence({ measures }: ResultTable): string {
  return measures.flatMap(({ title, random }) =>
    random === null ? [] : [` ${title} of a CAV of random direction: ${random} on average.`]
  ).join("");
}

function intervals(table: ResultTable): string {
  return grid(table, ({ cell }) => cell.status === "measured" ? interval(cell) : cell.status);
}

function comparisons(table: ResultTable): string[] {
  const compared = comparedFactor(table);
  if (compared === null) return [];
  const inRows = rowFactors(table.show).includes(compared);
  const block = grid(table, ({ cell }) => {
    if (cell.status !== "measured") return cell.status;
    const { against } = cell;
    if (against === null) return "";
    const difference = formatDifference(against.difference);
    return against.pValue === null
      ? difference
      : `${difference} ${interval(against)}, ${formatPValue(against.pValue)}`;
  });
  const control = controlOf(table);
  const after = control === undefined
    ? ""
    : `, and after ${titleOf(table, compared, control)} from that one`;
  return [
    block,
    `Difference from the nearest measured ${inRows ? "row above" : "column to the left"} that ` +
    `differs in ${
      nounOf(table, compared)
    } only${after}, its interval, and the p-value of a two-sided paired ` +
    `permutation test over ${resampledNoun(table)}, not corrected for the number of tests.`,
  ];
}

function titleOf(table: ResultTable, factor: string, level: Level): string {
  return factorOf(table, factor).levels.find((of) => of.level === level)?.title ?? `${level}`;
}

function paperBlocks(table: ResultTable): string[] {
  const { paperNumbers } = table;
  if (paperNumbers === null) return [];
  const printed = ({ levels }: PlacedCell) => paperNumberOf(paperNumbers, levels)?.value;
  const measured = ({ cell }: PlacedCell) =>
    cell.status === "measured" ? shownValue(table, cell) : null;
  const cells = rowsOf(table);
  const lines = table.rows.flatMap(({ title }, row) => [
    [
      title,
      "measured",
      ...cells[row]!.map((placed) => {
        const value = measured(placed);
        return value === null ? placed.cell.status : formatValue(value);
      }),
    ],
    [
      "",
      "paper",
      ...cells[row]!.map((placed) => {
        const value = printed(placed);
        return value === undefined ? "" : formatValue(value);
      }),
    ],
    [
      "",
      "difference",
      ...cells[row]!.map((placed) => {
        const [value, paper] = [measured(placed), printed(placed)];
        return value === null || paper === undefined ? "" : formatDifference(value - paper);
      }),
    ],
  ]);
  const header = [corner(table), "", ...table.columns.map(({ title }) => title)];
  return [
    "## Against the paper",
    markdownTable([header, ...lines]),
    `Paper: ${paperNumbers.source}.`,
  ];
}

/** A table of the rows and columns with a text for each cell. */
function grid(table: ResultTable, text: (cell: PlacedCell) => string): string {
  const cells = rowsOf(table);
  const rows = table.rows.map(({ title }, row) => [title, ...cells[row]!.map(text)]);
  return markdownTable([[corner(table), ...table.columns.map(({ title }) => title)], ...rows]);
}

function rowsOf(table: ResultTable): PlacedCell[][] {
  return [...Map.groupBy(placedCells(table), ({ row }) => row).values()];
}

/** What the rows and the columns are levels of. */
function corner(table: ResultTable): string {
  const titles = (names: readonly string[]) =>
    names.map((name) => factorOf(table, name).title).join(", ");
  return `${titles(rowFactors(table.show))} / ${titles(columnFactors(table.show))}`;
}

const interval = ({ low, high }: Pick<MeasuredCell, "low" | "high">) =>
  low === null || high === null ? "none" : `[${formatValue(low)}, ${formatValue(high)}]`;
const percent = ({ statistics }: ResultTable) => `${+(100 * statistics.confidence).toFixed(2)} %`;
