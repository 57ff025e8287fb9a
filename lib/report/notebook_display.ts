import { Buffer } from "node:buffer";
import { ColumnTable, table as arqueroTable } from "arquero";
import { sha256, UserError } from "../files/mod.ts";
import { formatMoment, formatValue } from "./_format.ts";
import { describeResult } from "./describe_result.ts";
import { differenceFigure } from "./difference_figure.ts";
import { type Figure, resultFigure } from "./figure.ts";
import { galleryBlocks, gallerySvg } from "./gallery/mod.ts";
import { readResults, type ResultWithRuns } from "./read_result.ts";
import { renderPictures } from "./render_figures.ts";
import type { Result, ResultGallery, ResultHistogram, ResultTable } from "./result.ts";
import { terminalTable } from "./terminal_table.ts";

/** One value in several media types, of which a notebook shows the richest it can. */
export type DisplayBundle = Readonly<Record<string, unknown>>;

/** A result as a notebook shows it. */
export interface NotebookResult extends ResultWithRuns {
  /** {@linkcode resultFigure}, interactive where plotly is known, else a picture; or a gallery's. */
  readonly figure: DisplayBundle;
  /** {@linkcode differenceFigure} of a table, likewise; nothing where nothing is compared. */
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
  const all = ids.map((id) => results[id].result);
  const figures = await figureBundles(all.flatMap(figuresOf));
  const galleries = await galleryBundles(all.filter(isGallery));
  const opened = ids.map((id) => {
    const { result } = results[id];
    const [figure, differences = {}] = isGallery(result)
      ? galleries.splice(0, 1)
      : figures.splice(0, figuresOf(result).length);
    const [table, words] = [resultBundle(result), describeResult(result)];
    return [id, { ...results[id], figure, differences, table, words }];
  });
  return Object.fromEntries(opened);
}

function isGallery(result: Result): result is ResultGallery {
  return result.schema === "lg-cav/result-gallery";
}

/** A figure and one of differences; none of a gallery, and no differences where none are shown. */
function figuresOf(result: Result): Figure[] {
  if (isGallery(result)) return [];
  const differences = result.show.as === "table" ? [differenceFigure(result)] : [];
  return [resultFigure(result), ...differences.filter(({ data }) => data.length > 0)];
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
  const shown = { limit, align, format: numberFormats(value, digits) };
  const rows = value.numRows();
  const note = rows > limit ? `The first ${limit} of ${rows} rows.` : "";
  return {
    "text/html": value.toHTML(shown) + (note && `<p>${note}</p>`),
    "text/plain": value.toMarkdown(shown) + note,
  };
}

/** Decimals for each column of numbers that are not all whole; arquero has powers of ten for some. */
function numberFormats(table: ColumnTable, digits: number) {
  const fractions = table.columnNames().filter((name) => {
    const values = [...table.array(name)].filter((value) => typeof value === "number");
    return values.some((value) => !Number.isInteger(value));
  });
  const fixed = (value: unknown) =>
    typeof value === "number"
      ? value.toFixed(digits).replace(/^-(0\.?0*)$/, "$1")
      : String(value ?? "");
  return Object.fromEntries(fractions.map((name) => [name, fixed]));
}

/**
 * Figures, such as of a query, to be shown: interactive where plotly is known, else a picture, where a
 * browser is installed.
 */
export async function figureBundles(figures: readonly Figure[]): Promise<DisplayBundle[]> {
  // 880 pixels: JupyterLab's renderer of plotly shows a picture first and cuts off what is wider.
  const pictures = await drawn(renderPictures(figures, { width: 1100, scale: 0.8 }));
  return figures.map((figure, i) => {
    const title = figure.layout["title"] as { readonly text: string };
    return {
      "application/vnd.plotly.v1+json": figure,
      ...pngOf(pictures[i]?.png),
      "text/plain": title.text,
    };
  });
}

/**
 * The drawings of galleries as pictures, where a browser is installed: notebooks that are not trusted
 * show no SVG. What is drawn is named by its hash.
 */
export async function galleryBundles(
  galleries: readonly ResultGallery[],
): Promise<DisplayBundle[]> {
  const drawings = galleries.map((gallery) => gallerySvg(gallery).text);
  const pictures = await drawn(renderPictures(drawings, { scale: 0.9 }));
  return galleries.map((gallery, i) => ({
    "application/vnd.lg-cav.drawing+json": { sha256: sha256(drawings[i]!) },
    ...pngOf(pictures[i]?.png),
    "text/plain": terminalTable(gallery, { columns: 100 }),
  }));
}

/** No pictures where there is no browser. */
async function drawn<T>(pictures: Promise<T[]>): Promise<T[]> {
  return await pictures.catch((error) => {
    if (error instanceof UserError) return [];
    throw error;
  });
}

function pngOf(png: Uint8Array | undefined): DisplayBundle {
  return png === undefined ? {} : { "image/png": Buffer.from(png).toString("base64") };
}

/** What a result holds: means and deviations of a table, moments of histograms, a gallery's numbers. */
export function resultBundle(result: Result): DisplayBundle {
  if (isGallery(result)) return displayBundle(galleryBlocks(result).join("\n\n"));
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
      if (cell.status === "not run") return cell.status;
      if (cell.status === "quoted") return `${formatValue(cell.mean)} (quoted)`;
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
