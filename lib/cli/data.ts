import { buildCommand, buildRouteMap } from "@stricli/core";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { oneOf } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import {
  checkSources,
  type FetchProgress,
  fetchSources,
  listSources,
  readSources,
  type Source,
  type SourceState,
  useOwnCopies,
} from "../sources/mod.ts";
import { type NeededSources, neededSources } from "./_needed_sources.ts";
import type { CliContext, Output } from "./context.ts";

const names = {
  kind: "array",
  parameter: { brief: "Names as listed", parse: (input: string) => input, placeholder: "name" },
} as const;

/** The flags that choose sources by what they are for. */
interface PurposeFlags {
  readonly for?: string;
  readonly profile?: string;
}

const purposeFlags = {
  for: {
    kind: "parsed",
    parse: String,
    brief: "Everything that a table, figure or other experiment needs in the profile paper",
    optional: true,
    placeholder: "id",
  },
  profile: {
    kind: "parsed",
    parse: String,
    brief: "Everything that a profile needs",
    optional: true,
    placeholder: "profile",
  },
} as const;

interface ListFlags extends PurposeFlags {
  readonly json: boolean;
}

/** `data`: what the real datasets and models need, and where it is. */
const listCommand = buildCommand<ListFlags, [], CliContext>({
  docs: {
    brief: "List the paper's data and weights: needed by, size, licence, where or how to get it",
    fullDescription: [
      "Examples:",
      "  deno task data",
      "  deno task data list --for table1",
      "  deno task data list --profile quick --json",
    ].join("\n"),
  },
  parameters: {
    flags: { ...purposeFlags, json: { kind: "boolean", brief: "As JSON", default: false } },
  },
  func: async function ({ json, ...purpose }) {
    const { sources } = await chosenSources(this, purpose) ?? { sources: await sourcesOf(this) };
    const states = await listSources(sources, { root: dataFolder(this) });
    if (json) {
      const rows = states.map(({ source: { origin: _, markers: __, ...facts }, state, where }) => ({
        ...facts,
        state,
        where,
      }));
      this.process.stdout.write(JSON.stringify(rows, null, 2) + "\n");
      return;
    }
    for (const { source, state, where } of states) {
      this.process.stdout.write(
        `${source.name}: ${state}, ${sizeOf(source.megabytes)}\n` +
          `  ${where}\n  licence: ${source.licence}\n  for: ${source.neededBy.join(", ")}\n`,
      );
    }
    const missing = states.filter(({ state }) => state === "missing" || state === "partial");
    this.process.stdout.write(
      `${states.length} in all, ${totalSize(states)}; ${missing.length} of them to get, ` +
        `${totalSize(missing)}.\n`,
    );
  },
});

interface FetchFlags extends PurposeFlags {
  readonly jobs: number;
  readonly offline: boolean;
}

/** `data fetch NAME...`: downloads, verifies and unpacks. */
const fetchCommand = buildCommand<FetchFlags, string[], CliContext>({
  docs: {
    brief: "Download, verify and unpack; an interrupted download goes on where it stopped",
    fullDescription: [
      "Examples:",
      "  deno task data fetch resnet18 clip_vit_l_14",
      "  deno task data fetch --for table6",
      "  deno task data fetch --profile quick",
    ].join("\n"),
  },
  parameters: {
    positional: names,
    flags: {
      ...purposeFlags,
      jobs: { kind: "parsed", parse: parseJobs, brief: "Downloads at a time", default: "4" },
      offline: { kind: "boolean", brief: "Ask nothing of the network", default: false },
    },
  },
  func: async function ({ jobs, offline, ...purpose }, ...wanted) {
    const { sources, estimate }: NeededSources = await chosenSources(this, purpose, wanted) ??
      { sources: [] };
    if (sources.length === 0) {
      throw new UserError(
        'Nothing was named. Name what "deno task data" lists, or --for table1, or --profile quick.',
      );
    }
    const results = await fetchSources(sources, {
      root: dataFolder(this),
      jobs,
      offline,
      fetch: globalThis.fetch,
      sleep: (milliseconds) => setTimeout(milliseconds, undefined, { signal: this.interrupt }),
      signal: this.interrupt,
      onProgress: progressOn(this.process.stderr),
    });
    const failed = results.filter(({ status }) => status === "failed");
    for (const { name, status } of results) this.process.stdout.write(`${name}: ${status}\n`);
    if (failed.length === 0) {
      if (estimate !== undefined) this.process.stdout.write(`${await estimate()}\n`);
      return;
    }
    const unexpected = failed.find(({ error }) => !(error instanceof UserError));
    if (unexpected !== undefined) throw unexpected.error;
    throw new UserError(failed.map(({ error }) => (error as Error).message).join("\n"));
  },
});

/** `data check [NAME...]`: reads everything that is there again. */
const checkCommand = buildCommand<Record<never, never>, string[], CliContext>({
  docs: {
    brief: "Verify what is there again",
    fullDescription: "Examples:\n  deno task data check\n  deno task data check broden",
  },
  parameters: { positional: names },
  func: async function (_, ...wanted) {
    const all = await sourcesOf(this);
    const checked = await checkSources(wanted.length === 0 ? all : chosen(all, wanted), {
      root: dataFolder(this),
      onChecked: ({ name, status, reason }) => {
        this.interrupt.throwIfAborted();
        if (status === "missing" && wanted.length === 0) return;
        this.process.stdout.write(`${name}: ${status}${reason && ` (${reason})`}\n`);
      },
    });
    const damaged = checked.filter(({ status }) => status === "damaged");
    if (damaged.length > 0) {
      throw new UserError(`Damaged: ${damaged.map(({ name }) => name).join(", ")}.`);
    }
  },
});

/** `data where DIR`: links copies that one already has. */
const whereCommand = buildCommand<Record<never, never>, [string], CliContext>({
  docs: {
    brief: "Use the copies that a folder holds, by links in data/",
    fullDescription: [
      "Examples:",
      "  deno task data:where /datasets/imagenet",
      "  deno task data:where ~/.cache/torch/hub/checkpoints",
    ].join("\n"),
  },
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [{ brief: "Its folder", parse: (input: string) => input, placeholder: "dir" }],
    },
  },
  func: async function (_, folder) {
    const options = { sources: await sourcesOf(this), root: dataFolder(this) };
    for (const { name, path, refused } of await useOwnCopies(folder, options)) {
      const outcome = refused === undefined ? "is used" : `is not used: ${refused}`;
      this.process.stdout.write(`${name}: ${path} ${outcome}\n`);
    }
  },
});

/** `data`: the paper's data and weights. */
export const dataRoutes = buildRouteMap<"list" | "fetch" | "check" | "where", CliContext>({
  routes: { list: listCommand, fetch: fetchCommand, check: checkCommand, where: whereCommand },
  defaultCommand: "list",
  docs: { brief: "The data and weights of the profiles paper and quick" },
});

function sourcesOf({ root }: CliContext): Promise<readonly Source[]> {
  return readSources(join(root, "configs"));
}

function dataFolder({ root }: CliContext): string {
  return join(root, "data");
}

/**
 * What names or the purpose say, of which there must be one; undefined when there is neither.
 *
 * @throws {UserError} for an unknown name, or several ways to choose.
 */
async function chosenSources(
  context: CliContext,
  { for: experiment, profile }: PurposeFlags,
  wanted: readonly string[] = [],
): Promise<NeededSources | undefined> {
  const all = await sourcesOf(context);
  const purposes = [
    ...experiment === undefined ? [] : [{ experiment }],
    ...profile === undefined ? [] : [{ profile }],
  ];
  const [purpose] = purposes;
  if (purposes.length + (wanted.length > 0 ? 1 : 0) > 1) {
    throw new UserError("Choose by names, or by --for, or by --profile: one of the three.");
  }
  if (purpose !== undefined) {
    return await neededSources(all, { purpose, root: context.root });
  }
  return wanted.length === 0 ? undefined : { sources: chosen(all, wanted) };
}

function chosen(all: readonly Source[], wanted: readonly string[]): readonly Source[] {
  const known = all.map(({ name }) => name);
  return wanted.map((name) => all[known.indexOf(oneOf("source", name, known))]!);
}

function parseJobs(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 16) return count;
  throw new SyntaxError(`"${text}" is not a whole number from 1 to 16.`);
}

function sizeOf(megabytes: number): string {
  return megabytes >= 1000 ? `${(megabytes / 1000).toFixed(1)} GB` : `${megabytes.toFixed(1)} MB`;
}

function totalSize(states: readonly SourceState[]): string {
  return sizeOf(states.reduce((sum, { source: { megabytes } }) => sum + megabytes, 0));
}

/** One line that is rewritten on a terminal; a line per tenth elsewhere. */
function progressOn(output: Output): (progress: FetchProgress) => void {
  const shown = new Map<string, string>();
  return ({ name, phase, done, total }) => {
    const share = total === undefined ? "" : ` ${Math.floor(10 * done / total) * 10}%`;
    const amount = phase === "unpack" ? `${done} files` : sizeOf(done / 1e6);
    if (output.isTerminal) output.write(`\r\x1b[K${name}: ${phase}${share} ${amount}`);
    const step = `${phase}${share}`;
    if (output.isTerminal || shown.get(name) === step) return;
    shown.set(name, step);
    output.write(`${name}: ${step}\n`);
  };
}
