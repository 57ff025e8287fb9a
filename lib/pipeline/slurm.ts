import { UserError } from "../files/mod.ts";
import type { JobArray } from "./split_plan.ts";

/** Where and how the jobs of a plan are submitted. */
export interface SlurmOptions {
  /** The plan's file, which every machine sees under this path. */
  readonly plan: string;
  /** The folder in which jobs run, and one for their logs. */
  readonly root: string;
  readonly logs: string;
  /** How Deno and the command line are started there, as words of a shell. */
  readonly command: string;
  /** Further options of sbatch, such as a partition or an account. */
  readonly sbatch: readonly string[];
}

/** A job that was submitted. */
export interface SlurmJob {
  readonly id: string;
  /** What of the plan it computes; the last job of a plan reports. */
  readonly array: number | "report";
  readonly tasks: number;
}

/** What Slurm tells of a job that has not ended. */
export interface SlurmState {
  readonly id: string;
  /** Slurm's word, such as PENDING or RUNNING, with the number of its tasks in it. */
  readonly states: Readonly<Record<string, number>>;
}

/** Bytes that a process holds besides what a stage's estimate counts: runtime, models, libraries. */
const baseMemory = 1.5e9;
/** How many times the estimate a task may take, and how many minutes at least. */
const patience = { factor: 5, minutes: 15 };

/**
 * The options of sbatch for an array, of each task: memory, time, and what it runs. It begins when
 * the one before has ended, in whatever way: a task whose needs are missing says so, the others go
 * on. What is preempted is queued again.
 */
export function sbatchOptions(
  { tasks, seconds, memory }: JobArray,
  { index, after, plan, root, logs, command, sbatch }: SlurmOptions & {
    readonly index: number;
    readonly after: SlurmJob | undefined;
  },
): string[] {
  const minutes = Math.max(patience.minutes, Math.ceil(patience.factor * seconds / 60));
  return [
    ...common({ name: `lg-cav ${index}`, root, after }),
    `--array=0-${tasks.length - 1}`,
    `--output=${logs}/%A_%a.log`,
    `--mem=${Math.ceil((memory + baseMemory) / 1e6)}M`,
    `--time=${minutes}`,
    ...sbatch,
    `--wrap=${command} stage --plan ${quoted(plan)} --array ${index} --task $SLURM_ARRAY_TASK_ID`,
  ];
}

/** The options of sbatch for the last job, which reports what is missing or writes the results. */
export function reportOptions(
  { after, plan, root, logs, command, sbatch }: SlurmOptions & { readonly after: SlurmJob },
): string[] {
  return [
    ...common({ name: "lg-cav report", root, after }),
    `--output=${logs}/%j.log`,
    `--mem=${Math.ceil(2 * baseMemory / 1e6)}M`,
    `--time=${patience.minutes}`,
    ...sbatch,
    `--wrap=${command} stage --plan ${quoted(plan)} --report`,
  ];
}

/**
 * Submits a plan: one array after the other, then what reports.
 *
 * @throws {UserError} when sbatch is not there or refuses.
 */
export async function submitToSlurm(
  arrays: readonly JobArray[],
  options: SlurmOptions,
): Promise<SlurmJob[]> {
  const jobs: SlurmJob[] = [];
  try {
    for (const [index, array] of arrays.entries()) {
      const id = await slurm(
        "sbatch",
        sbatchOptions(array, { ...options, index, after: jobs.at(-1) }),
      );
      jobs.push({ id: jobIdOf(id), array: index, tasks: array.tasks.length });
    }
    const id = await slurm("sbatch", reportOptions({ ...options, after: jobs.at(-1)! }));
    return [...jobs, { id: jobIdOf(id), array: "report", tasks: 1 }];
  } catch (error) {
    await cancelSlurm(jobs).catch(() => {});
    throw error;
  }
}

/** What Slurm tells of some jobs; those that have ended are left out. */
export async function slurmStates(jobs: readonly SlurmJob[]): Promise<SlurmState[]> {
  const ours = new Set(jobs.map(({ id }) => id));
  const lines = await slurm("squeue", ["--noheader", "--array", "--format=%A %F %T"]);
  return statesIn(lines).filter(({ id }) => ours.has(id));
}

/** Reads lines of "job array-job state", one of each task. */
export function statesIn(lines: string): SlurmState[] {
  const byId = new Map<string, Record<string, number>>();
  for (const line of lines.split("\n")) {
    const [, id, state] = /^\d+ (\d+) ([A-Z_]+)$/.exec(line.trim()) ?? [];
    if (id === undefined || state === undefined) continue;
    const states = byId.get(id) ?? {};
    states[state] = (states[state] ?? 0) + 1;
    byId.set(id, states);
  }
  return [...byId].map(([id, states]) => ({ id, states }));
}

/** Cancels jobs; those that have ended are not minded. */
export async function cancelSlurm(jobs: readonly SlurmJob[]): Promise<void> {
  if (jobs.length > 0) await slurm("scancel", jobs.map(({ id }) => id));
}

function common(
  { name, root, after }: {
    readonly name: string;
    readonly root: string;
    readonly after: SlurmJob | undefined;
  },
): string[] {
  return [
    "--parsable",
    `--job-name=${name}`,
    `--chdir=${root}`,
    "--requeue",
    "--export=ALL",
    ...(after === undefined ? [] : [`--dependency=afterany:${after.id}`]),
  ];
}

/** sbatch --parsable prints "id" or "id;cluster". */
function jobIdOf(printed: string): string {
  const [id] = printed.trim().split(";");
  if (/^\d+$/.test(id!)) return id!;
  throw new UserError(
    `sbatch printed "${printed.trim()}" and no job number. See whether it works.`,
  );
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

async function slurm(command: string, args: readonly string[]): Promise<string> {
  let output;
  try {
    output = await new Deno.Command(command, { args: [...args], stdin: "null" }).output();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new UserError(
      `There is no ${command} here. Run this on a machine that submits to Slurm.`,
      { cause },
    );
  }
  if (output.success) return new TextDecoder().decode(output.stdout);
  const [reason = ""] = new TextDecoder().decode(output.stderr).split("\n");
  throw new UserError(`${command} refused: ${reason}. Correct the options of --sbatch.`);
}
