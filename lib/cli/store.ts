import { buildCommand, buildRouteMap } from "@stricli/core";
import { join, resolve } from "node:path";
import { UserError, walkFiles, writeStreamAtomically } from "../files/mod.ts";
import { buildPlan, chooseExperiments, closure } from "../pipeline/mod.ts";
import {
  archiveOf,
  bytesOf,
  damagedPaths,
  importArchive,
  openDigests,
  removePaths,
  serverTime,
  stagesToRemove,
  type StoredStage,
  storedStages,
} from "../store/mod.ts";
import { recordedStages } from "./_recorded_targets.ts";
import type { CliContext } from "./context.ts";
import { bytesInWords } from "./describe_cost.ts";
import { planFlags } from "./plan_flags.ts";
import { missingSentence, wanted } from "./print_plan.ts";

interface ListFlags {
  readonly json: boolean;
}

/** `store`: what the store holds, by kind of stage. */
const listCommand = buildCommand<ListFlags, [], CliContext>({
  docs: {
    brief: "List what the store holds, by kind of stage",
    fullDescription: "Examples:\n  deno task store\n  deno task store list --json",
  },
  parameters: { flags: { json: { kind: "boolean", brief: "As JSON", default: false } } },
  func: async function ({ json }) {
    const { stdout } = this.process;
    const kinds = Map.groupBy(await allStages(this), ({ stage }) => stage);
    const rows = [...kinds].map(([stage, all]) => ({
      stage,
      values: all.length,
      bytes: bytesOf(all),
      oldest: new Date(Math.min(...all.map(({ written }) => written.getTime()))).toISOString(),
    }));
    if (json) return stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    for (const { stage, values, bytes, oldest } of rows) {
      stdout.write(
        `${stage.padEnd(20)} ${String(values).padStart(7)} values ` +
          `${bytesInWords(bytes).padStart(9)}, the oldest of ${oldest.slice(0, 10)}\n`,
      );
    }
  },
});

/** `store verify`: reads every byte and removes what is damaged. */
const verifyCommand = buildCommand<Record<never, never>, [], CliContext>({
  docs: {
    brief: "Compare all that the store holds with its checksums; what is damaged is removed",
    fullDescription:
      "What was removed is computed again when it is needed.\n\nExample:\n  deno task store verify",
  },
  parameters: {},
  func: async function () {
    const { stdout } = this.process;
    let damaged = 0;
    const stages = await allStages(this);
    for (const stage of stages) {
      this.interrupt.throwIfAborted();
      const paths = await damagedPaths(this.storeRoot, stage);
      damaged += paths.length;
      await removePaths(this.storeRoot, paths);
      for (const path of paths) stdout.write(`Removed ${path}: its bytes changed.\n`);
    }
    stdout.write(
      `Compared ${stages.length} stages (${bytesInWords(bytesOf(stages))}): ` +
        `${damaged === 0 ? "all are as they were written" : `${damaged} damaged`}.\n`,
    );
    if (damaged > 0) this.process.exitCode = 1;
  },
});

interface CollectFlags {
  readonly unreachable: boolean;
  readonly olderThan?: number;
  readonly maxSize?: number;
  readonly dryRun: boolean;
}

/** `store gc`: removes what is chosen by reachability, age and size. */
const collectCommand = buildCommand<CollectFlags, [], CliContext>({
  docs: {
    brief: "Remove stages by age, by size, or because no result of results/ is made of them",
    fullDescription: [
      "Of several flags all must hold; with --max-size the oldest are removed until the rest fits.",
      "Ages are told by the clock of the machine that serves the store. Where others share the",
      "store, their results are not seen.",
      "",
      "Examples:",
      "  deno task store gc --unreachable",
      "  deno task store gc --older-than 30d --dry-run",
      "  deno task store gc --unreachable --max-size 20GB",
    ].join("\n"),
  },
  parameters: {
    flags: {
      unreachable: {
        kind: "boolean",
        brief: "Only what no result of results/ is made of",
        default: false,
      },
      olderThan: {
        kind: "parsed",
        parse: parseAge,
        brief: "Only what was written longer ago, as 12h or 30d",
        optional: true,
      },
      maxSize: {
        kind: "parsed",
        parse: parseSize,
        brief: "Only until the store is no larger, as 500MB or 20GB",
        optional: true,
      },
      dryRun: { kind: "boolean", brief: "Say what would be removed, and stop", default: false },
    },
  },
  func: async function ({ unreachable, olderThan, maxSize, dryRun }) {
    if (!unreachable && olderThan === undefined && maxSize === undefined) {
      throw new UserError(
        "store gc removes nothing unasked: say --unreachable, --older-than or --max-size. " +
          "`deno task clean` removes all.",
      );
    }
    const stages = await allStages(this);
    const kept = unreachable ? await reachable(this) : new Set<string>();
    const before = olderThan === undefined || stages.length === 0
      ? Infinity
      : await serverTime(this.storeRoot) - olderThan;
    const chosen = stagesToRemove(stages, { kept, before, maxBytes: maxSize });
    if (!dryRun) {
      for (const { paths } of chosen) {
        this.interrupt.throwIfAborted();
        await removePaths(this.storeRoot, paths);
      }
    }
    this.process.stdout.write(
      `${dryRun ? "Would remove" : "Removed"} ${chosen.length} of ${stages.length} stages ` +
        `(${bytesInWords(bytesOf(chosen))} of ${bytesInWords(bytesOf(stages))}).\n`,
    );
  },
});

interface ExportFlags {
  readonly out: string;
  readonly profile: string;
  readonly everything: boolean;
}

/** `store export ID... --out FILE`: what results are folded from, for a colleague. */
const exportCommand = buildCommand<ExportFlags, string[], CliContext>({
  docs: {
    brief: "Write what results are made of into a tar file, for another machine",
    fullDescription: [
      "With it, `deno task reproduce` folds the same tables there without computing.",
      "",
      "Examples:",
      "  deno task store export table2 --out table2.tar",
      "  deno task store export 'table*' --out all.tar --everything",
    ].join("\n"),
  },
  parameters: {
    positional: {
      kind: "array",
      parameter: { brief: "Result, a pattern, or all", parse: String, placeholder: "id" },
      minimum: 1,
    },
    flags: {
      out: { kind: "parsed", parse: String, brief: "The tar file to write", placeholder: "file" },
      profile: planFlags.profile,
      everything: {
        kind: "boolean",
        brief: "Features and CAVs too, not the measurements alone",
        default: false,
      },
    },
  },
  func: async function ({ out, profile, everything }, ...words) {
    const experiments = chooseExperiments(words, this.root);
    const plan = await buildPlan(
      { root: this.root, profile, experiments, engine: "ort", device: "cpu" },
      { digests: openDigests(this.storeRoot) },
    );
    if (plan.missing.length > 0) throw new UserError(missingSentence(plan));
    const targets = new Set(wanted(plan.experiments));
    const keys = new Set(closure(plan.graph, targets).map(({ key }) => key));
    const stages = (await allStages(this)).filter(({ key }) => keys.has(key));
    const stored = new Set(stages.map(({ key }) => key));
    if ([...targets].some((key) => !stored.has(key))) {
      throw new UserError(
        `The store lacks some of what ${words.join(", ")} is made of. Run "deno task reproduce ${
          words.join(" ")
        }" first.`,
      );
    }
    const chosen = stages.map((stage) =>
      everything || targets.has(stage.key) ? stage : recordOnly(stage)
    );
    const path = resolve(this.root, out);
    const bytes = await writeStreamAtomically(path, archiveOf(this.storeRoot, chosen));
    this.process.stdout.write(`Wrote ${path} (${bytesInWords(bytes)}).\n`);
  },
});

/** `store import FILE`: what another machine exported. */
const importCommand = buildCommand<Record<never, never>, [string], CliContext>({
  docs: {
    brief: "Take what another store exported; what is here stays",
    fullDescription:
      "The bytes are compared with their checksums. That they are what the code computes, only\n" +
      "computing tells: `deno task reproduce ID --frozen MANIFEST`.\n\nExample:\n" +
      "  deno task store import table2.tar",
  },
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [{ brief: "What store export wrote", parse: String, placeholder: "file" }],
    },
  },
  func: async function (_, path) {
    const file = await Deno.open(resolve(this.root, path)).catch((cause) => {
      if (!(cause instanceof Deno.errors.NotFound)) throw cause;
      throw new UserError(`There is no ${path}. Correct the path.`, { cause });
    });
    const { files, bytes } = await importArchive(this.storeRoot, file.readable);
    this.process.stdout.write(`Took ${files} files (${bytesInWords(bytes)}).\n`);
  },
});

/** `store`: the folder of the content-addressed artifacts. */
export const storeRoutes = buildRouteMap({
  routes: {
    list: listCommand,
    verify: verifyCommand,
    gc: collectCommand,
    export: exportCommand,
    import: importCommand,
  },
  defaultCommand: "list",
  docs: { brief: "The store: list, check, shrink, bring to another machine" },
});

/** Everything that the store holds. */
function allStages({ storeRoot }: CliContext): Promise<StoredStage[]> {
  return Array.fromAsync(storedStages(storeRoot));
}

/** The keys of every stage that a result of results/ was made of. */
async function reachable({ root }: CliContext): Promise<ReadonlySet<string>> {
  const results = join(root, "results");
  const keys = new Set<string>();
  for await (const path of walkFiles(results)) {
    if (!path.endsWith("/manifest.json")) continue;
    for (const key of await recordedStages(join(results, path))) keys.add(key);
  }
  return keys;
}

/** What tells how a stage was computed, without its value. */
function recordOnly(stage: StoredStage): StoredStage {
  return { ...stage, paths: stage.paths.filter((path) => path.endsWith(".record")) };
}

function parseAge(input: string): number {
  const [, count, unit] = /^(\d+)([hd])$/.exec(input) ?? [];
  if (count !== undefined) return Number(count) * (unit === "h" ? 1 : 24) * 3_600_000;
  throw new UserError(`--older-than takes an age such as 12h or 30d, not "${input}".`);
}

function parseSize(input: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)(MB|GB|TB)$/.exec(input) ?? [];
  if (count !== undefined) return Number(count) * { MB: 1e6, GB: 1e9, TB: 1e12 }[unit!]!;
  throw new UserError(`--max-size takes a size such as 500MB or 20GB, not "${input}".`);
}
