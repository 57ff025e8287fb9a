import { quote, readText, UserError } from "../files/mod.ts";
import { join } from "node:path";

/** A row of a comma-separated file by column name, with its line number for messages. */
export interface TableRow {
  readonly line: number;
  readonly cells: ReadonlyMap<string, string>;
}

/**
 * The text of a dataset's file, without the byte-order mark that spreadsheets put before it.
 *
 * @throws {UserError} when it is not there, naming `dataset` and the file.
 */
export async function readTextFile(
  root: string,
  { file, dataset }: { readonly file: string; readonly dataset: string },
): Promise<string> {
  const path = join(root, file);
  try {
    return await readText(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory)) {
      throw cause;
    }
    throw new UserError(
      `Cannot open ${dataset}: there is no ${file} in ${root}. Give the folder into which the ` +
        `dataset was unpacked.`,
      { cause },
    );
  }
}

/**
 * The rows of a comma-separated file with a header line (RFC 4180: quoted cells may hold commas,
 * line breaks and doubled quotes).
 *
 * @throws {UserError} when a column of `columns` is missing or a row has another number of cells.
 */
export function parseTable(
  text: string,
  { path, columns }: { readonly path: string; readonly columns: readonly string[] },
): { readonly header: readonly string[]; readonly rows: readonly TableRow[] } {
  const [header, ...records] = parseRecords(text, path);
  const names = header?.cells ?? [];
  const missing = columns.filter((column) => !names.includes(column));
  if (missing.length > 0) {
    const found = names.length === 0 ? "none" : quote(names.join(", "));
    throw new UserError(
      `Cannot read ${path}: its first line lacks the column${missing.length > 1 ? "s" : ""} ` +
        `${missing.join(", ")}; it has ${found}. Restore the file from the original archive.`,
    );
  }
  const rows = records.map(({ line, cells }) => {
    if (cells.length !== names.length) {
      throw new UserError(
        `Cannot read line ${line} of ${path}: it has ${cells.length} cells, not ${names.length}. ` +
          `Restore the file from the original archive.`,
      );
    }
    return { line, cells: new Map(names.map((name, i) => [name, cells[i]!])) };
  });
  return { header: names, rows };
}

interface Record {
  readonly line: number;
  readonly cells: string[];
}

function parseRecords(text: string, path: string): Record[] {
  // One cell and what ends it: a quoted cell, or anything without comma and line break; a quote
  // that does not come first stands for itself.
  const cell = /(?:"((?:[^"]|"")*)"|((?!")[^,\r\n]*))(,|\r?\n|$)/y;
  const records: Record[] = [];
  let line = 1;
  let record: Record = { line, cells: [] };
  const finish = () => {
    const { cells } = record;
    if (cells.length > 1 || cells[0] !== "") records.push(record);
    record = { line, cells: [] };
  };
  while (cell.lastIndex < text.length) {
    const match = cell.exec(text);
    if (match === null) {
      throw new UserError(
        `Cannot read line ${line} of ${path}: a quote in it is not closed. Restore ` +
          `the file from the original archive.`,
      );
    }
    const [whole, quoted, bare, end] = match;
    record.cells.push(quoted?.replaceAll('""', '"') ?? bare!);
    line += whole.split("\n").length - 1;
    if (end !== ",") finish();
  }
  // A last line that ends in a comma has one more, empty cell.
  if (record.cells.length > 0) {
    record.cells.push("");
    finish();
  }
  return records;
}
