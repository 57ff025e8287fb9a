import { type ErrorOutput, joinStreams, type MediaBundle, type Output } from "./output.ts";
import type { Kernel } from "./kernel.ts";

/** A cell of a notebook; fields that are not named here are kept as they are. */
export interface Cell {
  readonly cell_type: string;
  readonly source: string | readonly string[];
  readonly outputs?: readonly Output[];
  readonly execution_count?: number | null;
}

/** A notebook in nbformat 4. */
export interface Notebook {
  readonly nbformat: number;
  readonly nbformat_minor: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly cells: readonly Cell[];
}

/** How one is told of a notebook's progress, and how long a cell may take, in milliseconds. */
export interface RunOptions {
  readonly kernel: Kernel;
  readonly name: string;
  readonly cellTimeout: number;
}

/**
 * The notebook in the text of an .ipynb file.
 *
 * @throws {TypeError} when it is no notebook of nbformat 4, or not one for the Deno kernel.
 */
export function parseNotebook(text: string, name: string): Notebook {
  const notebook = JSON.parse(text);
  const kernel = notebook?.metadata?.kernelspec?.name;
  if (notebook?.nbformat !== 4 || !Array.isArray(notebook.cells) || kernel !== "deno") {
    throw new TypeError(
      `Reading ${name}: it must be a notebook of nbformat 4 for the kernel "deno", not of ` +
        `nbformat ${notebook?.nbformat} for "${kernel}".`,
    );
  }
  return notebook;
}

/**
 * The text of an .ipynb file, as Jupyter writes it, which then finds nothing to change: keys sorted,
 * one space of indentation, a last line end.
 */
export function notebookText(notebook: Notebook): string {
  return JSON.stringify(sortKeys(notebook), null, 1) + "\n";
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(entries.map(([key, of]) => [key, sortKeys(of)]));
}

/**
 * Runs the code cells from top to bottom and returns the notebook with their outputs. Nothing that
 * differs from run to run, such as a time, is stored.
 *
 * @throws {Error} naming notebook, cell and message, at the first cell that fails.
 */
export async function runNotebook(
  notebook: Notebook,
  { kernel, name, cellTimeout }: RunOptions,
): Promise<Notebook> {
  const cells: Cell[] = [];
  for (const [index, cell] of notebook.cells.entries()) {
    cells.push(cell.cell_type === "code" ? await runCell(cell, index) : cell);
  }
  return { ...notebook, cells };

  async function runCell(cell: Cell, index: number): Promise<Cell> {
    const failed = (message: string, cause?: unknown) =>
      new Error(
        `Running ${name}: cell ${index + 1} of ${notebook.cells.length} failed: ${
          message.replace(/\.$/, "")
        }.`,
        {
          cause,
        },
      );
    const execution = await kernel.execute([cell.source].flat().join(""), { timeout: cellTimeout })
      .catch((error: Error) => {
        throw failed(error.message, error);
      });
    const outputs = joinStreams(execution.outputs);
    const error = outputs.find((output): output is ErrorOutput => output.output_type === "error");
    if (error !== undefined) {
      throw failed(`${error.ename}: ${error.evalue}`, error.traceback.slice(1).join("\n"));
    }
    return {
      ...cell,
      execution_count: execution.executionCount,
      outputs: keepPictures(outputs, cell.outputs ?? []),
    };
  }
}

/**
 * The outputs, with the stored picture of each that says what its picture shows, in a media type of
 * a vendor such as plotly's, and has not changed: another browser, or none, draws it otherwise
 * without showing anything else.
 */
export function keepPictures(outputs: readonly Output[], stored: readonly Output[]): Output[] {
  return outputs.map((output, i) => {
    const before = stored[i];
    if (!hasData(output) || before === undefined || !hasData(before)) return output;
    const same = Object.keys(output.data).some((type) => type.startsWith("application/vnd.")) &&
      withoutPicture(output.data) === withoutPicture(before.data);
    return same && pictureType in before.data ? { ...output, data: before.data } : output;
  });
}

const pictureType = "image/png";

function withoutPicture({ [pictureType]: _picture, ...others }: MediaBundle): string {
  return JSON.stringify(others);
}

function hasData(output: Output): output is Extract<Output, { readonly data: unknown }> {
  return "data" in output;
}
