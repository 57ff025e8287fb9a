import { buildCommand } from "@stricli/core";
import { join, relative, resolve } from "node:path";
import { requireWritable, UserError } from "../files/mod.ts";
import {
  buildPlan,
  chooseExperiments,
  MissingNeed,
  missingNodes,
  type Plan,
  UnavailableError,
  unreadable,
} from "../pipeline/mod.ts";
import { terminalTable } from "../report/mod.ts";
import { openDigests, openStore, removeUnfinished, type Store } from "../store/mod.ts";
import type { CliContext, Output } from "./context.ts";
import { differingFiles, type FrozenResult, readFrozen, requireSamePlan } from "./frozen.ts";
import { type PlanFlags, planFlags, planRequestOf } from "./plan_flags.ts";
import { missingSentence, printPlan, wanted } from "./print_plan.ts";
import { corruptLine } from "./progress.ts";
import { runStages, type RunStagesOptions } from "./run_stages.ts";
import { type SubmitFlags, submitPlan } from "./submit.ts";
import { resultSpecs, writeResults, type WrittenResult } from "./write_results.ts";

interface ReproduceFlags extends PlanFlags, SubmitFlags {
  readonly executor: "local" | "slurm";
  readonly jobs: number;
  readonly rehash: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly frozen?: string;
}

/** No write takes that long; what is older was left by a process that was killed. */
const aDay = { milliseconds: 24 * 60 * 60 * 1000 };
const cores = navigator.hardwareConcurrency;
/** A line of a terminal. */
const columns = 100;

/** `reproduce ID...`: computes what is missing and writes the results. */
export const reproduceCommand = buildCommand<ReproduceFlags, string[], CliContext>({
  docs: {
    brief: "Compute tables and figures of the paper and write them to results/",
    fullDescription: [
      "Computes whatever they need and is not in the store yet, then writes",
      "results/<profile>/<id>/. Ctrl-C stops; the next run goes on from there.",
      "",
      "Examples:",
      "  deno task reproduce table2",
      "  deno task reproduce all",
      "  deno task reproduce 'figure*' --seeds 0",
      "  deno task reproduce table1 table2 table8 --backbones resnet18,vgg13",
      "  deno task reproduce table2 --methods original_cav,lg_cav+ga",
      "  deno task reproduce table1 --profile paper --dry-run",
      "  deno task reproduce table1 --profile paper --executor slurm --sbatch '--partition=long'",
      "  LG_CAV_STORE=/tmp/anew deno task reproduce table2 --frozen their/manifest.json",
    ].join("\n"),
  },
  parameters: {
    positional: {
      kind: "array",
      parameter: {
        brief: "Table or figure to make, a pattern such as 'figure*', or all",
        parse: (input: string) => input,
        placeholder: "id",
      },
      minimum: 1,
    },
    flags: {
      ...planFlags,
      jobs: { kind: "parsed", parse: parseJobs, brief: "Stages at once", default: String(cores) },
      rehash: {
        kind: "boolean",
        brief: "Hash every file anew instead of trusting what is known of it",
        default: false,
      },
      dryRun: { kind: "boolean", brief: "Print the plan and stop", default: false },
      json: { kind: "boolean", brief: "Print JSON instead of tables", default: false },
      executor: {
        kind: "enum",
        values: ["local", "slurm"],
        brief: "Compute here, or submit jobs that compute",
        default: "local",
      },
      sbatch: {
        kind: "parsed",
        parse: String,
        brief: "Options of sbatch for every job, as '--partition=gpu --account=us'",
        default: "",
      },
      jobCommand: {
        kind: "parsed",
        parse: String,
        brief: "How a job starts the command line there, such as in a container",
        optional: true,
        placeholder: "words",
      },
      maxTasks: {
        kind: "parsed",
        parse: parseCount,
        brief: "Tasks of a job array at most",
        default: "1000",
      },
      minutesPerTask: {
        kind: "parsed",
        parse: parseMinutes,
        brief: "Shorter stages share a task, longer ones are cut, as estimated",
        default: "20",
      },
      frozen: {
        kind: "parsed",
        parse: String,
        brief: "A manifest whose result must come out again, byte for byte",
        optional: true,
        placeholder: "manifest",
      },
    },
  },
  func: async function (flags, ...words) {
    const started = new Date();
    const experiments = chooseExperiments(words, this.root);
    const digests = openDigests(this.storeRoot, { rehash: flags.rehash });
    const request = planRequestOf(flags, { root: this.root, experiments });
    const frozen = flags.frozen === undefined
      ? undefined
      : await readFrozen(resolve(this.root, flags.frozen), { ...request, experiments });
    const plan = await buildPlan(request, {
      digests,
      onUnavailable: leavingOut(this.process.stderr, { words, of: experiments.length }),
    });
    if (frozen !== undefined) requireSamePlan(plan, frozen);
    const specs = await resultSpecs(plan);
    if (flags.dryRun) return await printPlan(this, plan, flags);
    if (plan.missing.length > 0) throw new UserError(missingSentence(plan));
    await reproduce(this, plan, { specs, flags, started, frozen });
  },
});

/**
 * Goes on without an experiment that a profile lacks something for, unless it was asked for by its
 * name or it is the last one left; a mistake ends the command.
 */
function leavingOut(
  stderr: Output,
  { words, of }: { readonly words: readonly string[]; readonly of: number },
): (id: string, mistake: UserError) => void {
  let left = of;
  return (id, mistake) => {
    left--;
    if (!(mistake instanceof UnavailableError) || words.includes(id) || left === 0) throw mistake;
    stderr.write(`Left out ${id}: ${mistake.message}\n`);
  };
}

function parseCount(input: string): number {
  const count = Number(input);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new UserError(`--max-tasks takes a whole number from 1, not "${input}".`);
}

function parseMinutes(input: string): number {
  const minutes = Number(input);
  if (minutes > 0 && Number.isFinite(minutes)) return minutes;
  throw new UserError(`--minutes-per-task takes a number above 0, not "${input}".`);
}

/** Reads how many stages run at once. */
export function parseJobs(input: string): number {
  const jobs = Number(input);
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > 256) {
    throw new UserError(`--jobs takes a whole number from 1 to 256, not "${input}".`);
  }
  return jobs;
}

async function reproduce(
  context: CliContext,
  plan: Plan,
  { frozen, ...options }: Pick<ComputeOptions, "specs" | "flags" | "started"> & {
    readonly frozen: FrozenResult | undefined;
  },
): Promise<void> {
  const { process: { stdout, stderr }, storeRoot } = context;
  const store = openStore(storeRoot, { onCorrupt: (path) => stderr.write(corruptLine(path)) });
  await store.removeUnfinished(aDay);
  const results = join(context.root, "results", plan.profile.name);
  await requireWritable(results);
  await removeUnfinished(results, aDay);
  const missing = await missingNodes(plan.graph, wanted(plan.experiments), { store });
  const toRun = missing.length;
  if (options.flags.executor === "slurm" && toRun > 0) {
    return await submitPlan(context, plan, { missing, store, flags: options.flags });
  }
  const written = await computeAndWrite(context, plan, { ...options, store });
  for (const { result } of written) {
    stdout.write(
      options.flags.json
        ? `${JSON.stringify(result)}\n`
        : `${terminalTable(result, { columns })}\n`,
    );
  }
  for (const sentence of new Set(written.flatMap(sentencesOf))) stderr.write(`${sentence}\n`);
  for (const { folder, files } of written) {
    for (const name of files) stderr.write(`Wrote ${relative(context.root, join(folder, name))}\n`);
  }
  if (frozen !== undefined) await compareFrozen(context, { frozen, toRun, written: written[0]! });
}

/** Says whether the bytes of a result are those of a manifest; the exit code is 1 where not. */
async function compareFrozen(
  { process }: CliContext,
  { frozen, toRun, written: { folder } }: {
    readonly frozen: FrozenResult;
    readonly toRun: number;
    readonly written: WrittenResult;
  },
): Promise<void> {
  const different = await differingFiles(folder, frozen);
  const stages = Object.keys(frozen.stages).length;
  process.stderr.write(
    `${toRun} of ${stages} stages were computed here, the others came from the store. ` +
      (different.length === 0
        ? `All ${
          Object.keys(frozen.files).length
        } files are those of the manifest, byte for byte.\n`
        : `Other bytes than in the manifest: ${different.join(", ")}.\n`),
  );
  if (different.length > 0) process.exitCode = 1;
}

interface ComputeOptions {
  readonly specs: Awaited<ReturnType<typeof resultSpecs>>;
  readonly store: Store;
  readonly flags: ReproduceFlags;
  readonly started: Date;
}

/** Runs the plan and writes its results; what a result finds damaged is computed again. */
async function computeAndWrite(
  context: CliContext,
  plan: Plan,
  { specs, store, flags, started }: ComputeOptions,
): Promise<WrittenResult[]> {
  const { process: { stderr } } = context;
  const repaired = new Set<string>();
  let damaged: ReadonlySet<string> = new Set();
  while (true) {
    await runMissing(context, plan, { store, flags, damaged });
    try {
      return await writeResults(plan, {
        specs,
        store,
        started,
        onNoBrowser: (sentence) => stderr.write(`No pictures were drawn. ${sentence}\n`),
      });
    } catch (error) {
      if (!(error instanceof MissingNeed) || repaired.has(error.key)) throw error;
      // All that is damaged is computed again at once, and what was mended is left.
      const found = await unreadable(plan.graph, wanted(plan.experiments), store);
      damaged = new Set([error.key, ...found]);
      damaged.forEach((key) => repaired.add(key));
    }
  }
}

/** What a user should hear about a result, besides its numbers. */
function sentencesOf({ unreadable, tooFew, remarks }: WrittenResult): string[] {
  const images = Object.entries(unreadable).flatMap(([dataset, some]) =>
    some.length === 0 ? [] : [
      `Left out ${some.length} images of ${dataset} that cannot be read: ${
        some.map(({ id }) => id).join(", ")
      }`,
    ]
  );
  const concepts = Object.entries(tooFew).flatMap(([dataset, some]) =>
    some.length === 0 ? [] : [
      `Left out ${some.length} concepts of ${dataset}, which fewer images show alone than ` +
      `"minimumImages" asks for: ${
        some.map(({ name, images }) => `${name} (${images})`).join(", ")
      }`,
    ]
  );
  return [...images, ...concepts, ...remarks];
}

async function runMissing(
  context: CliContext,
  { graph, experiments, request: { device }, engine }: Plan,
  options: Pick<RunStagesOptions, "store" | "damaged"> & { readonly flags: ReproduceFlags },
): Promise<void> {
  const { flags: { jobs }, ...rest } = options;
  await runStages(context, { graph, device, engine }, {
    ...rest,
    targets: wanted(experiments),
    jobs,
  });
}
