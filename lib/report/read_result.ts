import type { Run } from "../experiment/mod.ts";
import { UserError } from "../files/mod.ts";
import { readRunsArrow } from "./arrow.ts";
import type { Result } from "./result.ts";
import { readTableJson } from "./table_files.ts";

/**
 * What a result folder shows and the runs behind it, for a notebook.
 *
 * @param folder For example "results/world/table2".
 * @throws {UserError} when there is no such result yet.
 */
export async function readResult(
  folder: string,
): Promise<{ readonly result: Result; readonly runs: readonly Run[] }> {
  try {
    return {
      result: readTableJson(await Deno.readTextFile(`${folder}/table.json`)),
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
