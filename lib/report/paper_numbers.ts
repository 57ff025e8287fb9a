import { z } from "zod";
import type { PaperTable } from "./result_table.ts";

const paperTables = z.object({
  source: z.string(),
  tables: z.record(z.string(), z.looseObject({ title: z.string() })),
});

const methodRows = z.array(
  z.looseObject({ method: z.string(), values: z.record(z.string(), z.number()) }),
);

/**
 * The numbers of one table of configs/paper/tables.json, for a table of the paper profile to stand
 * beside.
 *
 * @param tables The parsed file.
 * @param id For example "table2"; its rows must be methods.
 * @throws {RangeError} when the file has no such table.
 * @throws {z.ZodError} when the file is not of that form.
 */
export function paperTable(tables: unknown, id: string): PaperTable {
  const { source, tables: byId } = paperTables.parse(tables);
  const table = byId[id];
  if (table === undefined) {
    throw new RangeError(
      `The paper's numbers hold no ${id}, only ${Object.keys(byId).join(", ")}.`,
    );
  }
  const rows = methodRows.parse(table.rows);
  return {
    source: `${source}, ${id}`,
    values: Object.fromEntries(rows.map(({ method, values }) => [method, values])),
  };
}
