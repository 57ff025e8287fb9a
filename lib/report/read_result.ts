import { type ColumnTable, fromArrow, table } from "arquero";
import { tableFromIPC } from "@uwdata/flechette";
import { UserError } from "../files/mod.ts";
import { readContrastsJson } from "./contrast_files.ts";
import type { Result } from "./result.ts";
import { readTableJson } from "./table_files.ts";

/** What a result folder shows, and the runs behind it as a table to query. */
export interface ResultWithRuns {
  readonly result: Result;
  /** One row per measured value; results/README.md names the columns. */
  readonly runs: ColumnTable;
}

/**
 * Results of one profile with their runs, for a notebook.
 *
 * @param folder For example "results/world".
 * @returns One for each id.
 * @throws {UserError} when some have not been made yet, with the command that makes them.
 */
export async function readResults<Id extends string>(
  folder: string,
  ids: readonly Id[],
): Promise<Readonly<Record<Id, ResultWithRuns>>> {
  const read = await Promise.all(ids.map((id) => readResult(`${folder}/${id}`)));
  const missing = ids.filter((_, i) => read[i] === undefined);
  if (missing.length > 0) {
    throw new UserError(
      `Reading ${folder}: there is no result ${
        missing.join(", ")
      } yet; make what is missing with ` +
        `\`deno task reproduce ${missing.join(" ")}\`.`,
    );
  }
  return Object.fromEntries(ids.map((id, i) => [id, read[i]!])) as Record<Id, ResultWithRuns>;
}

/** Undefined where the result has not been made. */
async function readResult(folder: string): Promise<ResultWithRuns | undefined> {
  try {
    const result = readTableJson(await Deno.readTextFile(`${folder}/table.json`));
    return {
      result: result.schema === "lg-cav/result-table"
        ? { ...result, tested: (await readContrasts(folder)).contrasts }
        : result,
      runs: readRuns(await Deno.readFile(`${folder}/runs.arrow`)),
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const readContrasts = async (folder: string) =>
  readContrastsJson(await Deno.readTextFile(`${folder}/contrasts.json`));

/** A gallery of nothing has no runs, of which arquero makes no table by itself. */
function readRuns(bytes: Uint8Array): ColumnTable {
  const { numRows, names } = tableFromIPC(bytes);
  return numRows > 0
    ? fromArrow(bytes)
    : table(Object.fromEntries(names.map((name) => [name, []])));
}
