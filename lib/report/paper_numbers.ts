import { z } from "zod";
import { parseConfig } from "../config/mod.ts";
import type { Levels } from "../experiment/mod.ts";

/** One number of the paper, with the levels of the factors (and `measure`) that it is for. */
export interface PaperNumber {
  readonly levels: Levels;
  readonly value: number;
  /** Whether the paper quotes it from another paper. */
  readonly quoted: boolean;
}

/** The numbers of one table of the paper. */
export interface PaperNumbers {
  readonly source: string;
  readonly statistic: "mean" | "std";
  readonly numbers: readonly PaperNumber[];
}

const levels = z.record(z.string(), z.union([z.string(), z.number()]));
const numbersFile = z.object({
  source: z.string(),
  tables: z.record(z.string(), z.looseObject({ title: z.string() })),
});
const numbersTable = z.object({
  /** Those of all its numbers. */
  levels,
  statistic: z.enum(["mean", "std"]),
  columns: z.array(levels),
  rows: z.array(z.strictObject({
    levels,
    quoted: z.boolean().default(false),
    /** One for each column; null where the paper has a gap. */
    values: z.array(z.number().nullable()),
  })),
});

const path = "configs/paper/tables.json";

/**
 * The numbers that configs/paper/tables.json holds of a table of the paper.
 *
 * @param file The parsed file.
 * @param label For example "Table 2".
 * @returns null when it holds none, as of a figure.
 * @throws {UserError} when the file is not of that form.
 */
export function paperNumbers(file: unknown, label: string): PaperNumbers | null {
  const { source, tables } = parseConfig(path, numbersFile, { spec: file });
  const table = tables[label.toLowerCase().replace(" ", "")];
  if (table === undefined) return null;
  const { levels, statistic, columns, rows } = parseConfig(`${path}, ${label},`, numbersTable, {
    spec: table,
  });
  const numbers = rows.flatMap((row) =>
    row.values.flatMap((value, i) =>
      value === null
        ? []
        : [{ levels: { ...levels, ...row.levels, ...columns[i] }, value, quoted: row.quoted }]
    )
  );
  return { source: `${source}, ${label}`, statistic, numbers };
}

/**
 * What the paper prints for a cell: the number all of whose levels the cell has.
 *
 * @param cell Every factor's level, and `measure`.
 */
export function paperNumberOf(paper: PaperNumbers | null, cell: Levels): PaperNumber | undefined {
  return paper?.numbers.find(({ levels }) =>
    Object.entries(levels).every(([name, level]) => cell[name] === level)
  );
}
