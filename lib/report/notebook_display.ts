import { Buffer } from "node:buffer";
import { fromArrow, table as arqueroTable } from "arquero";
import type { Run } from "../experiment/mod.ts";
import { UserError } from "../files/mod.ts";
import { formatMoment, formatValue } from "./_format.ts";
import { runsArrow } from "./arrow.ts";
import type { Figure } from "./figure.ts";
import { gallerySvg } from "./gallery/mod.ts";
import { renderFigures } from "./render_figures.ts";
import type { Result, ResultHistogram, ResultTable } from "./result.ts";
import { terminalTable } from "./terminal_table.ts";

/** One value in several media types, of which a notebook shows the richest it can. */
export type DisplayBundle = Readonly<Record<string, unknown>>;

/**
 * Figures for `Deno.jupyter.display(bundle, { raw: true })`, drawn by one start of a browser:
 * interactive where plotly is known, else a picture, which is left out where no browser is installed.
 */
export async function displayFigures(figures: readonly Figure[]): Promise<DisplayBundle[]> {
  const pictures = await renderFigures(figures, { scale: 1 }).catch((error) => {
    if (error instanceof UserError) return [];
    throw error;
  });
  return figures.map((figure, i) => {
    const png = pictures[i]?.png;
    const title = figure.layout["title"] as { readonly text: string };
    return {
      "application/vnd.plotly.v1+json": figure,
      ...png === undefined ? {} : { "image/png": Buffer.from(png).toString("base64") },
      "text/plain": title.text,
    };
  });
}

/** What a result shows: means and deviations of a table, moments of histograms, a gallery's drawing. */
export function displayResult(result: Result): DisplayBundle {
  if (result.schema === "lg-cav/result-gallery") {
    const svg = gallerySvg(result).text;
    return { "image/svg+xml": svg, "text/plain": terminalTable(result, { columns: 100 }) };
  }
  const columns = result.schema === "lg-cav/result-histogram"
    ? momentColumns(result)
    : cellColumns(result);
  const titles = result.rows.map(({ title }) => title);
  return displayArquero(arqueroTable({ "": titles, ...Object.fromEntries(columns) }));
}

function cellColumns({ rows, columns }: ResultTable): [string, string[]][] {
  return columns.map(({ title }, column) => [
    title,
    rows.map(({ cells }) => {
      const cell = cells[column]!;
      if (cell.status !== "measured") return cell.status;
      return formatValue(cell.mean) + (cell.std === null ? "" : ` ± ${formatValue(cell.std)}`);
    }),
  ]);
}

function momentColumns({ rows }: ResultHistogram): [string, string[]][] {
  return (["values", "mean", "deviation"] as const).map((name) => [
    name,
    rows.map(({ histogram }) => {
      if (histogram.status === "not run") return "not run";
      return name === "values" ? String(histogram.values) : formatMoment(histogram[name]);
    }),
  ]);
}

/** The first runs behind a result. */
export function displayRuns(runs: readonly Run[], limit: number): DisplayBundle {
  return displayArquero(fromArrow(runsArrow(runs)).slice(0, limit));
}

function displayArquero(table: ReturnType<typeof arqueroTable>): DisplayBundle {
  return { "text/html": table.toHTML(), "text/plain": table.toMarkdown() };
}
