import { aggregates, bestCells, bestWord, countsOf, fullTitle, shownValue } from "./_cells.ts";
import { contrastLines } from "./_describe_contrasts.ts";
import { comparedFactor, headingTitle, nounOf, rowFactors, varyingFactors } from "./_factors.ts";
import { formatMoment, formatValue } from "./_format.ts";
import { fit, wrap } from "./_wrap.ts";
import { galleryLines } from "./gallery/mod.ts";
import type { Cell, Result, ResultHistogram, ResultTable } from "./result.ts";

/** How wide a terminal is. */
export interface TerminalOptions {
  /** In characters; at least 40. */
  readonly columns: number;
}

/**
 * A result as compact text: the shown statistic, the best cells marked, no line longer than the
 * terminal. A table with too many columns goes on below itself. Intervals and tests are in table.md.
 */
export function terminalTable(result: Result, { columns }: TerminalOptions): string {
  const lines = result.schema === "lg-cav/result-gallery"
    ? galleryLines(result).flatMap((line) => wrap(line, columns))
    : result.schema === "lg-cav/result-histogram"
    ? histogramLines(result)
    : [
      ...tableLines(result, columns),
      ...(result.beside ?? []).flatMap((table) => [
        "",
        ...wrap(table.title, columns),
        ...tableLines(table, columns),
      ]),
    ];
  return [...wrap(fullTitle(result), columns), ...lines].map((line) => fit(line, columns)).join(
    "\n",
  ) +
    "\n";
}

/** A line of the body: a row's title with its cells, or the title of some rows alone. */
interface Line {
  readonly title: string;
  readonly cells: readonly string[];
}

function tableLines(table: ResultTable, columns: number): string[] {
  const titleWidth = Math.floor(0.4 * columns);
  const best = bestCells(table);
  const body = bodyLines(table, (cell) => cellText(table, { cell, best: best.has(cell) }));
  const head = table.columns.map(({ short }) => fit(short, columns - titleWidth - gap.length));
  const rows = body.filter(({ cells }) => cells.length > 0);
  const first = Math.max(0, ...rows.map(({ title }) => fit(title, titleWidth).length));
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map(({ cells }) => cells[i]!.length))
  );
  const blocks = blocksOf(widths, columns - first);
  return [
    ...blocks.flatMap((block, i) => {
      const line = ({ title, cells }: Line) =>
        cells.length === 0 ? title : (fit(title, titleWidth).padEnd(first) +
          block.map((column) => gap + cells[column]!.padStart(widths[column]!)).join(""))
          .trimEnd();
      return [...i === 0 ? [] : [""], line({ title: "", cells: head }), ...body.map(line)];
    }),
    ...wrap(footnote(table), columns),
    ...contrastLines(table),
  ];
}

/** Rows that differ in the last row factor only stand under one title. */
function bodyLines(table: ResultTable, text: (cell: Cell) => string): Line[] {
  const varying = varyingFactors(table).filter((name) => rowFactors(table.show).includes(name));
  const above = varying.slice(0, -1);
  if (above.length === 0) {
    return table.rows.map(({ short, cells }) => ({ title: short, cells: cells.map(text) }));
  }
  const options = { factors: table.factors };
  let group = "";
  return table.rows.flatMap(({ levels, cells }) => {
    const { title } = headingTitle(levels, { ...options, names: above });
    const { short } = headingTitle(levels, { ...options, names: varying.slice(-1) });
    const line = { title: `  ${short}`, cells: cells.map(text) };
    if (title === group) return [line];
    group = title;
    return [{ title, cells: [] }, line];
  });
}

/** The columns that fit beside each other, block by block. */
function blocksOf(widths: readonly number[], space: number): number[][] {
  const blocks: number[][] = [];
  let left = 0;
  widths.forEach((width, column) => {
    const needed = gap.length + width;
    if (blocks.length === 0 || needed > left) {
      blocks.push([]);
      left = space;
    }
    blocks.at(-1)!.push(column);
    left -= needed;
  });
  return blocks;
}

function cellText(
  table: ResultTable,
  { cell, best }: { readonly cell: Cell; readonly best: boolean },
): string {
  const value = shownValue(table, cell);
  if (value === null) return "- ";
  return formatValue(value) + (best ? "*" : cell.status === "quoted" ? "†" : " ");
}

function footnote(table: ResultTable): string {
  const { seeds, show, measures } = table;
  const word = bestWord(table);
  const { mean, least } = countsOf(table);
  const over = seeds.length === 1 ? "one seed" : `${seeds.length} seeds`;
  const parts = [
    ...mean === null ? [] : [` and ${mean}`],
    ...least === null ? [] : [` of the least of ${least}`],
  ].join(", or");
  const statistic = show.as === "table" && show.statistic === "std"
    ? `Standard deviation over ${seeds.length} seeds of ${aggregates(table)}.`
    : `Mean over ${over}${parts}.`;
  const mark = word === null ? "" : ` *: ${word} by ${nounOf(table, comparedFactor(table)!)}.`;
  const random = measures.flatMap(({ random }) => random === null ? [] : [random]);
  const level = random.length === 0 || statistic.startsWith("Standard")
    ? ""
    : ` Random CAVs: ${random.join(", ")}.`;
  return statistic + mark + level;
}

function histogramLines({ rows }: ResultHistogram): string[] {
  return rows.map(({ short, histogram }) => {
    if (histogram.status === "not run") return `${short}: not run`;
    const { values, mean, deviation } = histogram;
    return `${short}: mean ${formatMoment(mean)}, deviation ${formatMoment(deviation)}, ` +
      `${values} values`;
  });
}

const gap = "  ";
