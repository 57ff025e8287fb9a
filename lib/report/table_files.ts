import { table as arqueroTable } from "arquero";
import type { Level } from "../experiment/mod.ts";
import { shownValue } from "./_cells.ts";
import { cellLevels, shownFactors } from "./_factors.ts";
import { galleryRows } from "./gallery/mod.ts";
import { paperNumberOf } from "./paper_numbers.ts";
import {
  type Cell,
  galleryVersion,
  histogramVersion,
  type PlottedResult,
  type Result,
  type ResultHistogram,
  type ResultTable,
  tableVersion,
} from "./result.ts";
import type { Heading } from "./result_spec.ts";

/** table.json: the result as it is, numbers in full, but for the contrasts, which have their own file. */
export function tableJson(result: Result): string {
  return JSON.stringify({ ...result, tested: undefined }, null, 2) + "\n";
}

const versions = {
  "lg-cav/result-table": tableVersion,
  "lg-cav/result-histogram": histogramVersion,
  "lg-cav/result-gallery": galleryVersion,
} as const;

/**
 * The result in the text of a table.json.
 *
 * @throws {TypeError} when the text is of another schema or version.
 */
export function readTableJson(text: string): Result {
  const result = JSON.parse(text);
  if (versions[result.schema as Result["schema"]] !== result.version) {
    const known = Object.entries(versions).map(([schema, version]) =>
      `${schema} version ${version}`
    );
    throw new TypeError(
      `Reading table.json: it is ${result.schema} version ${result.version}, this program reads ` +
        `${known.join(" and ")}; reproduce the result again.`,
    );
  }
  return result;
}

/** A row of table.csv: the levels of the shown factors, then what was found; null is empty. */
export type CsvRow = Readonly<Record<string, Level | null>>;

/** table.csv: the long form of {@linkcode tableRows}, numbers in full. */
export function tableCsv(result: Result): string {
  const rows = tableRows(result);
  const names = Object.keys(rows[0] ?? {});
  return arqueroTable(
    Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name])])),
  ).toCSV();
}

/** A result in long form: one row for each cell, of a histogram for each bin, of a gallery
 * for each value. */
export function tableRows(result: Result): CsvRow[] {
  if (result.schema === "lg-cav/result-gallery") return galleryRows(result);
  if (result.schema === "lg-cav/result-histogram") return binRows(result);
  return result.rows.flatMap((row) =>
    result.columns.map((column, i) => ({
      ...shownLevels(result, [row, column]),
      ...cellFields(row.cells[i]!),
      ...paperFields(result, { row, column, cell: row.cells[i]! }),
    }))
  );
}

function shownLevels(result: PlottedResult, headings: readonly Heading[]): CsvRow {
  const levels = cellLevels(result, headings);
  const names = shownFactors(result.show);
  return Object.fromEntries(names.map((name) => [name, levels[name]!]));
}

function cellFields(cell: Cell): CsvRow {
  const measured = cell.status === "measured" ? cell : null;
  const against = measured?.against ?? null;
  return {
    status: cell.status,
    mean: cell.status === "not run" ? null : cell.mean,
    std: measured?.std ?? null,
    low: measured?.low ?? null,
    high: measured?.high ?? null,
    concepts: measured?.concepts ?? null,
    values: measured?.values ?? null,
    against: against?.level ?? null,
    difference: against?.difference ?? null,
    difference_low: against?.low ?? null,
    difference_high: against?.high ?? null,
    p_value: against?.pValue ?? null,
  };
}

function paperFields(
  result: ResultTable,
  { row, column, cell }: {
    readonly row: Heading;
    readonly column: Heading;
    readonly cell: Cell;
  },
): CsvRow {
  const paper = paperNumberOf(result.paperNumbers, cellLevels(result, [row, column]))?.value;
  const shown = shownValue(result, cell);
  const difference = cell.status !== "measured" || shown === null || paper === undefined
    ? null
    : shown - paper;
  return { paper: paper ?? null, difference_to_paper: difference };
}

function binRows(result: ResultHistogram): CsvRow[] {
  return result.rows.flatMap((row) => {
    const { histogram } = row;
    if (histogram.status === "not run") return [];
    return histogram.counts.map((count, bin) => ({
      ...shownLevels(result, [row]),
      low: histogram.edges[bin]!,
      high: histogram.edges[bin + 1]!,
      count,
    }));
  });
}
