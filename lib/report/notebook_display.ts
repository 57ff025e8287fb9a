import { Buffer } from "node:buffer";
import { ColumnTable, table as arqueroTable } from "arquero";
import { UserError } from "../files/mod.ts";
import { formatMoment, formatValue } from "./_format.ts";
import { describeResult } from "./describe_result.ts";
import { differenceFigure } from "./difference_figure.ts";
import { type Figure, resultFigure } from "./figure.ts";
import { gallerySvg } from "./gallery/mod.ts";
import { readResults, type ResultWithRuns } from "./read_result.ts";
import { renderFigures } from "./render_figures.ts";
import type { Result, ResultHistogram, ResultTable } from "./result.ts";
import { terminalTable } from "./terminal_table.ts";

/** One value in several media types, of which a notebook shows the richest it can. */
export type DisplayBundle = Readonly<Record<string, unknown>>;

/** A result as a notebook shows it. */
export interface NotebookResult extends ResultWithRuns {
  /** {@linkcode resultFigure}, interactive where plotly is known, else a picture; or the gallery. */
  readonly figure: DisplayBundle;
  /** {@linkcode differenceFigure}, likewise; nothing where nothing is compared. */
  readonly differences: DisplayBundle;
  /** {@linkcode resultBundle}. */
  readonly table: DisplayBundle;
  /** {@linkcode describeResult}. */
  readonly words: string;
}

/** How a table is shown. */
export interface TableOptions {
  /** Rows, from the first. */
  readonly limit?: number;
  /** Decimals of numbers. */
  readonly digits?: number;
  /** The sides of columns, where text is to stand as numbers do. */
  readonly align?: Readonly<Record<string, "l" | "r">>;
}

/**
 * Opens results of one profile in a notebook. The pictures of all are drawn by one start of a
 * browser, and left out where none is installed.
 *
 * @param folder For example "../results/world".
 * @throws {UserError} when some have not been made yet, with the command that makes them.
 */
export async function openResults<Id extends string>(
  folder: string,
  ids: readonly Id[],
): Promise<Readonly<Record<Id, NotebookResult>>> {
  const results = await readResults(folder, ids);
  const drawn = await figureBundles(ids.flatMap((id) => figuresOf(results[id].result)));
  const opened = ids.map((id) => {
    const { result } = results[id];
    const table = resultBundle(result);
    const [figure = table, differences = {}] = drawn.splice(0, figuresOf(result).length);
    return [id, { ...results[id], figure, differences, table, words: describeResult(result) }];
  });
  return Object.fromEntries(opened);
}

/** A figure and one of differences; none of a gallery, and no differences where none are shown. */
function figuresOf(result: Result): Figure[] {
  if (result.schema === "lg-cav/result-gallery") return [];
  const differences = differenceFigure(result);
  return [resultFigure(result), ...differences.data.length === 0 ? [] : [differences]];
}

/**
 * Shows a value in a notebook: text with marks, a table of arquero, or a bundle. Deno's kernel
 * publishes it a moment later, also after it said that the cell is done; JupyterLab and nbclient then
 * lose it, so this waits.
 */
export async function show(
  value: string | ColumnTable | DisplayBundle,
  options?: TableOptions,
): Promise<void> {
  await Deno.jupyter.display(displayBundle(value, options), { raw: true });
  await new Promise((done) => setTimeout(done, 50));
}

/** What {@linkcode show} shows; says so where a table has more rows than are shown. */
export function displayBundle(
  value: string | ColumnTable | DisplayBundle,
  { limit = 20, digits = 2, align = {} }: TableOptions = {},
): DisplayBundle {
  if (typeof value === "string") return { "text/markdown": value, "text/plain": value };
  if (!(value instanceof ColumnTable)) return value;
  const shown = { limit, maxdigits: digits, align };
  const rows = value.numRows();
  const note = rows > limit ? `The first ${limit} of ${rows} rows.` : "";
  return {
    "text/html": value.toHTML(shown) + (note && `<p>${note}</p>`),
    "text/plain": value.toMarkdown(shown) + note,
  };
}

/** Figures: interactive where plotly is known, else a picture, where a browser is installed. */
async function figureBundles(figures: readonly Figure[]): Promise<DisplayBundle[]> {
  // 880 pixels: JupyterLab's renderer of plotly shows a picture first and cuts off what is wider.
  const pictures = await renderFigures(figures, { width: 1100, scale: 0.8 }).catch((error) => {
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
export function resultBundle(result: Result): DisplayBundle {
  if (result.schema === "lg-cav/result-gallery") {
    const svg = gallerySvg(result).text;
    return { "image/svg+xml": svg, "text/plain": terminalTable(result, { columns: 100 }) };
  }
  const columns = result.schema === "lg-cav/result-histogram"
    ? momentColumns(result)
    : cellColumns(result);
  const titles = result.rows.map(({ title }) => title);
  return displayBundle(arqueroTable({ "": titles, ...Object.fromEntries(columns) }), {
    limit: titles.length,
    align: Object.fromEntries(columns.map(([title]) => [title, "r" as const])),
  });
}

function cellColumns({ rows, columns }: ResultTable): [string, string[]][] {
  return columns.map(({ title }, column) => [
    title,
    rows.map(({ cells }) => {
      const cell = cells[column]!;
      if (cell.status !== "measured") return cell.status;
      return formatValue(cell.mean) +
        (cell.std === null ? "" : `\u00a0±\u00a0${formatValue(cell.std)}`);
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
