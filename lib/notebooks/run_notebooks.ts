import { dirname } from "node:path";
import { startKernel } from "./kernel.ts";
import { notebookText, parseNotebook, runNotebook } from "./notebook.ts";

/** Which notebooks are run, whether their outputs are saved, and who is told. */
export interface RunNotebooksOptions {
  readonly save: boolean;
  readonly log: (line: string) => void;
  /** A folder for files that live as long as a kernel; made when it is missing. */
  readonly scratch: string;
  /** Milliseconds that one cell may take. */
  readonly cellTimeout?: number;
}

/**
 * Runs notebooks one after the other, each in a kernel of its own that starts in the notebook's
 * folder and is stopped whatever happens. A notebook is saved only when all its cells ran, and only
 * when that changes it.
 *
 * @returns The errors of the notebooks that failed, in order; empty when all ran.
 */
export async function runNotebooks(
  paths: readonly string[],
  { save, log, scratch, cellTimeout = 120_000 }: RunNotebooksOptions,
): Promise<Error[]> {
  await Deno.mkdir(scratch, { recursive: true });
  const errors: Error[] = [];
  for (const path of paths) {
    try {
      const changed = await runOne(path, { save, scratch, cellTimeout });
      log(`${path}: ran${changed ? ", outputs saved" : ""}`);
    } catch (error) {
      errors.push(error as Error);
      log(`${path}: failed`);
    }
  }
  return errors;
}

async function runOne(
  path: string,
  { save, scratch, cellTimeout }: Required<Omit<RunNotebooksOptions, "log">>,
): Promise<boolean> {
  const before = await Deno.readTextFile(path);
  const notebook = parseNotebook(before, path);
  const kernel = await startKernel({ folder: dirname(path), scratch });
  try {
    const after = notebookText(await runNotebook(notebook, { kernel, name: path, cellTimeout }));
    if (!save || after === before) return false;
    const temporary = `${path}.tmp`;
    await Deno.writeTextFile(temporary, after);
    await Deno.rename(temporary, path);
    return true;
  } finally {
    await kernel.close();
  }
}
