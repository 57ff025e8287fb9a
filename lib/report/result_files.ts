import type { Run } from "../experiment/mod.ts";
import { readRunsArrow, runsArrow } from "./arrow.ts";
import { contrastsCsv, contrastsJson } from "./contrast_files.ts";
import { resultFigure } from "./figure.ts";
import { foldResult } from "./fold_result.ts";
import { type CellExhibit, exhibitsIn, galleryHtml, gallerySvg } from "./gallery/mod.ts";
import { markdown } from "./markdown.ts";
import type { Result, ResultTable } from "./result.ts";
import type { ResultSpec } from "./result_spec.ts";
import { readTableJson, tableCsv, tableJson } from "./table_files.ts";
import { runsCsv } from "./runs_csv.ts";

/** The files of one result by name, except manifest and pictures, and the result in them. */
export interface ResultFiles {
  readonly result: Result;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * Folds runs, and what cells show besides them, into every file of a result folder. The same runs give
 * the same bytes.
 */
export function resultFiles(
  runs: readonly Run[],
  spec: ResultSpec,
  options: { readonly exhibits?: readonly CellExhibit[] } = {},
): ResultFiles {
  const result = foldResult(runs, spec, options);
  const files = new Map([
    ["table.md", text(markdown(result))],
    ["table.csv", text(tableCsv(result))],
    ["table.json", text(tableJson(result))],
    ...contrastFiles(result),
    ...besideFiles(result),
    ...pictureFiles(result),
    ["runs.csv", text(runsCsv(runs))],
    ["runs.arrow", runsArrow(runs)],
  ]);
  return { result, files };
}

/** Of tables and lines, whose cells can be compared. */
function contrastFiles(result: Result): [string, Uint8Array][] {
  return result.schema === "lg-cav/result-table"
    ? [
      ["contrasts.csv", text(contrastsCsv(result))],
      ["contrasts.json", text(contrastsJson(result))],
    ]
    : [];
}

/** Each table that stands below, by its name. */
function besideFiles(result: Result): [string, Uint8Array][] {
  if (result.schema !== "lg-cav/result-table") return [];
  return (result.beside ?? []).map((table) => [`${table.id}.csv`, text(tableCsv(table))]);
}

/** A gallery is drawn here; a figure is data that a browser draws. */
function pictureFiles(result: Result): [string, Uint8Array][] {
  return result.schema === "lg-cav/result-gallery"
    ? [
      ["gallery.html", text(galleryHtml(result))],
      ["figure.svg", text(gallerySvg(result).text)],
    ]
    : [["figure.json", text(JSON.stringify(resultFigure(result)) + "\n")]];
}

const text = (content: string) => new TextEncoder().encode(content);

/**
 * The files that a stored result should consist of: its runs folded again by the settings, and of a
 * gallery with the pictures, in its table.json.
 */
export function refoldResult(
  { tableJson, runsArrow }: { readonly tableJson: string; readonly runsArrow: Uint8Array },
): ResultFiles {
  const result = readTableJson(tableJson);
  const exhibits = result.schema === "lg-cav/result-gallery" ? exhibitsIn(result) : [];
  const beside = result.schema === "lg-cav/result-table" ? result.beside?.map(specIn) : undefined;
  const spec = { ...specIn(result), ...beside && { beside } };
  return resultFiles(readRunsArrow(runsArrow), spec, { exhibits });
}

/** What a result says that it shows, without what stands below it. */
function specIn(result: Result): ResultSpec {
  const { schema: _schema, version: _version, seeds: _seeds, rows, ...spec } = result;
  const { beside: _beside, ...own } = spec as typeof spec & Pick<ResultTable, "beside">;
  return { ...own, rows: rows.map(({ levels, title, short }) => ({ levels, title, short })) };
}
