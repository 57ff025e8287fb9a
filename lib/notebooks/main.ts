/**
 * Runs the notebooks: `deno task notebooks [--check] [FILE...]`. Without files, all of notebooks/;
 * with --check nothing is saved. Exits with 1 when a cell fails, with 2 on a wrong argument.
 */
import { existsSync } from "node:fs";
import { readFolder } from "../files/mod.ts";
import { runNotebooks } from "./run_notebooks.ts";

function fail(message: string, code: number): never {
  console.error(message);
  Deno.exit(code);
}

function allNotebooks(): string[] {
  return readFolder("notebooks")
    .filter(({ name }) => name.endsWith(".ipynb"))
    .map(({ name }) => `notebooks/${name}`);
}

if (import.meta.main) {
  const unknown = Deno.args.find((argument) =>
    argument !== "--check" && !argument.endsWith(".ipynb")
  );
  if (unknown !== undefined) {
    fail(`Running notebooks: ${unknown} is neither --check nor a file ending in .ipynb.`, 2);
  }
  const files = Deno.args.filter((argument) => argument !== "--check");
  const missing = files.find((file) => !existsSync(file));
  if (missing !== undefined) fail(`Running notebooks: there is no file ${missing}.`, 2);
  const errors = await runNotebooks(files.length > 0 ? files : allNotebooks(), {
    save: !Deno.args.includes("--check"),
    log: console.log,
    scratch: "notebooks",
  });
  if (errors.length > 0) {
    fail(
      errors.map(({ message, cause }) =>
        `${message}${typeof cause === "string" ? `\n${cause}` : ""}`
      )
        .join("\n"),
      1,
    );
  }
}
