import { Buffer } from "node:buffer";
import { fromArrow, table as arqueroTable } from "arquero";
import { UserError } from "../files/mod.ts";
import { runsArrow } from "./arrow.ts";
import type { Figure } from "./figure.ts";
import { renderFigure } from "./render_figure.ts";
import type { ResultTable } from "./result_table.ts";
import type { Run } from "./run.ts";
import { formatValue } from "./table_markdown.ts";

/** One value in several media types, of which a notebook shows the richest it can. */
export type DisplayBundle = Readonly<Record<string, unknown>>;

/**
 * A figure for `Deno.jupyter.display(bundle, { raw: true })`: interactive where plotly is known,
 * else a picture, which is left out where no chromium is installed.
 */
export async function displayFigure(figure: Figure): Promise<DisplayBundle> {
  const title = figure.layout["title"] as { readonly text: string };
  return {
    "application/vnd.plotly.v1+json": figure,
    ...await picture(figure),
    "text/plain": title.text,
  };
}

async function picture(figure: Figure): Promise<DisplayBundle> {
  try {
    const png = await renderFigure(figure, { width: 1100, scale: 1 });
    return { "image/png": Buffer.from(png).toString("base64") };
  } catch (error) {
    if (error instanceof UserError) return {};
    throw error;
  }
}

/** The means and standard deviations of a table, methods down and backbones across. */
export function displayTable(table: ResultTable): DisplayBundle {
  const columns = table.columns.map(({ backbone, title }) => [
    title,
    table.rows.map(({ cells }) => {
      const cell = cells[backbone]!;
      if (cell.status !== "measured") return cell.status;
      return formatValue(cell.mean) + (cell.std === null ? "" : ` ± ${formatValue(cell.std)}`);
    }),
  ]);
  const methods = table.rows.map(({ title }) => title);
  return displayArquero(arqueroTable(Object.fromEntries([["Method", methods], ...columns])));
}

/** The first runs behind a table. */
export function displayRuns(runs: readonly Run[], limit: number): DisplayBundle {
  return displayArquero(fromArrow(runsArrow(runs)).slice(0, limit));
}

function displayArquero(table: ReturnType<typeof arqueroTable>): DisplayBundle {
  return { "text/html": table.toHTML(), "text/plain": table.toMarkdown() };
}
