import { buildCommand } from "@stricli/core";
import { join } from "node:path";
import { UserError } from "../files/mod.ts";
import { refoldResult } from "../report/mod.ts";
import { fileHash, sha256 } from "../files/mod.ts";
import type { CliContext } from "./context.ts";
import { planFlags } from "./plan_flags.ts";
import { resultFolder } from "./results.ts";

/** `verify ID...`: checks results against their manifests and folds their tables again. */
export const verifyCommand = buildCommand<
  { readonly profile: string },
  string[],
  CliContext
>({
  docs: {
    brief: "Check results: hashes of the files, and the tables folded again from the runs",
    fullDescription: "Example:\n  deno task verify table2",
  },
  parameters: {
    positional: {
      kind: "array",
      parameter: { brief: "Result to check", parse: (input: string) => input, placeholder: "id" },
      minimum: 1,
    },
    flags: {
      profile: planFlags.profile,
    },
  },
  func: async function ({ profile }, ...ids) {
    for (const id of ids) {
      const folder = resultFolder(this.root, { profile, id });
      const problems = await verifyResult(folder);
      if (problems.length > 0) {
        throw new UserError(
          `${folder} is not what was computed: ${
            problems.join("; ")
          }. Run "deno task reproduce ${id}".`,
        );
      }
      this.process.stdout.write(
        `${folder}: every file as recorded; the table follows from the runs.\n`,
      );
    }
  },
});

/**
 * What is wrong with a result folder: files that differ from the manifest, and files that do not
 * follow from the runs. Nothing when it is sound.
 */
export async function verifyResult(folder: string): Promise<string[]> {
  const path = join(folder, "manifest.json");
  const text = await Deno.readTextFile(path).catch((cause) => {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new UserError(`There is no result in ${folder}. Reproduce it first.`, { cause });
  });
  const recorded: Readonly<Record<string, string>> = JSON.parse(text).files;
  const problems: string[] = [];
  for (const [name, hash] of Object.entries(recorded)) {
    const found = await fileHash(join(folder, name));
    if (found === "missing") problems.push(`${name} is missing`);
    else if (found !== hash) problems.push(`${name} was changed`);
  }
  if (problems.length > 0) return problems;
  const { files } = refoldResult({
    tableJson: await Deno.readTextFile(join(folder, "table.json")),
    runsArrow: await Deno.readFile(join(folder, "runs.arrow")),
  });
  return [...files]
    .filter(([name, bytes]) => sha256(bytes) !== recorded[name])
    .map(([name]) => `${name} does not follow from runs.arrow`);
}
