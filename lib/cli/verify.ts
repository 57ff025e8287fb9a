import { buildCommand } from "@stricli/core";
import { join } from "node:path";
import { z } from "zod";
import { fileHash, jsonOrNothing, sha256, UserError } from "../files/mod.ts";
import { chooseExperiments, resultFolder } from "../pipeline/mod.ts";
import { refoldResult } from "../report/mod.ts";
import { recordedTargets, sameKeys, targetsToday } from "./_recorded_targets.ts";
import type { CliContext } from "./context.ts";
import { planFlags } from "./plan_flags.ts";

/** `verify ID...`: checks results against their manifests and folds their tables again. */
export const verifyCommand = buildCommand<
  { readonly profile: string },
  string[],
  CliContext
>({
  docs: {
    brief: "Check results: hashes of the files, and the tables folded again from the runs",
    fullDescription:
      "Says too when a result was made by another plan than today's.\n\nExamples:\n  deno task verify table2\n  deno task verify all",
  },
  parameters: {
    positional: {
      kind: "array",
      parameter: {
        brief: "Result to check, a pattern such as 'table*', or all",
        parse: (input: string) => input,
        placeholder: "id",
      },
      minimum: 1,
    },
    flags: {
      profile: planFlags.profile,
    },
  },
  func: async function ({ profile }, ...words) {
    const ids = chooseExperiments(words, this.root);
    const targets = await targetsToday(ids, { ...this, profile });
    for (const id of ids) {
      const folder = resultFolder(this.root, { profile, id });
      const recorded = await recordedTargets(folder);
      if (recorded === undefined && !targets.has(id) && !words.includes(id)) {
        this.process.stdout.write(`${id}: the profile ${profile} cannot make it.\n`);
        continue;
      }
      const problems = await verifyResult(folder);
      if (problems.length > 0) {
        throw new UserError(
          `${folder} is not what was computed: ${
            problems.join("; ")
          }. Run "deno task reproduce ${id}${profile === "world" ? "" : ` --profile ${profile}`}".`,
        );
      }
      const isStale = !sameKeys(recorded ?? [], targets.get(id) ?? []);
      this.process.stdout.write(
        `${folder}: every file as recorded; the table follows from the runs` +
          `${isStale ? "; but it is stale: today's plan is another one" : ""}.\n`,
      );
    }
  },
});

/**
 * What is wrong with a result folder: files that differ from the manifest, and files that do not
 * follow from the runs. Nothing when it is sound.
 */
async function verifyResult(folder: string): Promise<string[]> {
  const path = join(folder, "manifest.json");
  const text = await Deno.readTextFile(path).catch((cause) => {
    const { NotFound, NotADirectory } = Deno.errors;
    if (!(cause instanceof NotFound || cause instanceof NotADirectory)) throw cause;
    throw new UserError(`There is no result in ${folder}. Reproduce it first.`, { cause });
  });
  const recorded = hashesIn(text);
  if (recorded === undefined) return ["manifest.json is damaged"];
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

/** The hashes that a manifest records, or `undefined` when it is none. */
function hashesIn(manifest: string): Readonly<Record<string, string>> | undefined {
  return manifestSchema.safeParse(jsonOrNothing(manifest)).data?.files;
}

const manifestSchema = z.looseObject({ files: z.record(z.string(), z.string()) });
