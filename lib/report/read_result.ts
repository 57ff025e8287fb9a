import { UserError } from "../files/mod.ts";
import { readRunsArrow } from "./arrow.ts";
import type { ResultTable } from "./result_table.ts";
import type { Run } from "./run.ts";
import { readTableJson } from "./table_files.ts";

/**
 * The table and the runs of a result folder, for a notebook to show.
 *
 * @param folder For example "results/world/table2".
 * @throws {UserError} when there is no such result yet.
 */
export async function readResult(
  folder: string,
): Promise<{ readonly table: ResultTable; readonly runs: readonly Run[] }> {
  try {
    return {
      table: readTableJson(await Deno.readTextFile(`${folder}/table.json`)),
      runs: readRunsArrow(await Deno.readFile(`${folder}/runs.arrow`)),
    };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const id = folder.split("/").findLast((part) => part !== "");
    throw new UserError(
      `Reading ${folder}: there is no result yet; make it with \`deno task reproduce ${id}\`.`,
      { cause: error },
    );
  }
}
