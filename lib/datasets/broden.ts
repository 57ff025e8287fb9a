import { UserError } from "../files/mod.ts";
import { join } from "node:path";
import { parseTable, readTextFile, type TableRow } from "./_table_file.ts";
import { imageFiles, type ImageSet } from "../images/mod.ts";

/** A row of Broden's label.csv. */
export interface BrodenLabel {
  /** Global over all categories, from 1. */
  readonly number: number;
  /** As in the file: unique, scenes end in `-s` and colours in `-c`. */
  readonly name: string;
  /** The name as words for a prompt: without that ending, `_` as space. */
  readonly phrase: string;
  /** The category in which the label is most frequent. */
  readonly category: string;
}

/** What one cell of index.csv says: labels of the whole image, or mask files below images/. */
export interface BrodenAnnotation {
  readonly category: string;
  readonly numbers: readonly number[];
  readonly masks: readonly string[];
}

/** The Broden dataset (Network Dissection, Bau et al. 2017), opened; no pixel is held. */
export interface Broden {
  readonly root: string;
  readonly images: ImageSet;
  /** `train` or `val`, per image. */
  readonly splits: readonly string[];
  readonly categories: readonly string[];
  readonly labels: ReadonlyMap<number, BrodenLabel>;
  /** Per image, its cells that are not empty. */
  readonly annotations: readonly (readonly BrodenAnnotation[])[];
}

const imageColumns = ["image", "split", "ih", "iw", "sh", "sw"];

/**
 * Opens the folder of broden1_224 (or of 227, 384): index.csv, label.csv and images/. Images are
 * sorted by path.
 *
 * @throws {UserError} naming file and line for what is missing or malformed.
 */
export async function readBroden(root: string): Promise<Broden> {
  const labels = await readLabels(root);
  const path = join(root, "index.csv");
  const { header, rows } = parseTable(
    await readTextFile(root, { file: "index.csv", dataset: "Broden" }),
    { path, columns: imageColumns },
  );
  const categories = header.filter((column) => !imageColumns.includes(column));
  if (categories.length === 0) {
    throw new UserError(
      `Cannot open Broden: ${path} has no category columns beside ${imageColumns.join(", ")}. ` +
        `Restore the file from the original archive.`,
    );
  }
  const sorted = [...rows].sort((a, b) => compare(a.cells.get("image")!, b.cells.get("image")!));
  const ids = sorted.map((row, i) => {
    const image = row.cells.get("image")!;
    if (i > 0 && image === sorted[i - 1]!.cells.get("image")) {
      throw new UserError(`Cannot open Broden: line ${row.line} of ${path} repeats ${image}.`);
    }
    return image;
  });
  return {
    root,
    images: imageFiles("broden", { root: join(root, "images"), ids }),
    splits: sorted.map((row) => row.cells.get("split")!),
    categories,
    labels,
    annotations: sorted.map((row) => annotationsOf(row, { categories, labels, path })),
  };
}

/** Code-unit order, the same on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function annotationsOf(
  row: TableRow,
  { categories, labels, path }: {
    readonly categories: readonly string[];
    readonly labels: ReadonlyMap<number, BrodenLabel>;
    readonly path: string;
  },
): BrodenAnnotation[] {
  return categories.flatMap((category) => {
    const items = row.cells.get(category)!.split(";").filter((item) => item !== "");
    if (items.length === 0) return [];
    const numbers = items.filter((item) => /^\d+$/.test(item)).map(Number);
    for (const number of numbers) {
      if (labels.has(number)) continue;
      throw new UserError(
        `Cannot open Broden: line ${row.line} of ${path} names the ${category} ${number}, which ` +
          `label.csv does not list. Restore both files from the same archive.`,
      );
    }
    return [{ category, numbers, masks: items.filter((item) => !/^\d+$/.test(item)) }];
  });
}

async function readLabels(root: string): Promise<ReadonlyMap<number, BrodenLabel>> {
  const path = join(root, "label.csv");
  const { rows } = parseTable(
    await readTextFile(root, { file: "label.csv", dataset: "Broden" }),
    { path, columns: ["number", "name", "category"] },
  );
  const labels = new Map<number, BrodenLabel>();
  for (const { line, cells } of rows) {
    const number = Number(cells.get("number"));
    const category = mainCategory(cells.get("category")!);
    // A mask holds the number in two bytes, 0 standing for no label.
    if (!(Number.isInteger(number) && number > 0 && number < 65536) || category === undefined) {
      throw new UserError(
        `Cannot read line ${line} of ${path}: it has the number ${cells.get("number")} and the ` +
          `category ${cells.get("category")}; allowed are 1 to 65535 and names with counts such ` +
          `as object(12);part(3). Restore the file from the original archive.`,
      );
    }
    const name = cells.get("name")!;
    labels.set(number, { number, name, phrase: phraseOf(name, category), category });
  }
  return labels;
}

/** Of `object(12);part(3)` the category with the highest count, the first of equals. */
function mainCategory(cell: string): string | undefined {
  let main: { name: string; count: number } | undefined;
  for (const item of cell.split(";")) {
    const match = /^([^()]+)(?:\((\d+)\))?$/.exec(item.trim());
    if (match === null) return undefined;
    const count = Number(match[2] ?? 0);
    if (main === undefined || count > main.count) main = { name: match[1]!, count };
  }
  return main?.name;
}

function phraseOf(name: string, category: string): string {
  const ending = category === "scene" ? /-s$/ : category === "color" ? /-c$/ : "";
  return name.replace(ending, "").replaceAll("_", " ");
}
