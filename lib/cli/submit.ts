import { buildCommand, buildRouteMap } from "@stricli/core";
import { basename, join } from "node:path";
import { readFolder, UserError, writeFileAtomically } from "../files/mod.ts";
import {
  cancelSlurm,
  measurePlan,
  type Plan,
  planFilePath,
  type SlurmJob,
  slurmStates,
  splitPlan,
  type StageNode,
  submitToSlurm,
  writePlanFile,
} from "../pipeline/mod.ts";
import type { Store } from "../store/mod.ts";
import type { CliContext } from "./context.ts";
import { durationInWords } from "./describe_cost.ts";

/** How a plan is cut for a scheduler of jobs. */
export interface SubmitFlags {
  readonly sbatch: string;
  readonly jobCommand?: string;
  readonly maxTasks: number;
  readonly minutesPerTask: number;
}

/** A plan that was submitted. */
interface Submission {
  readonly plan: string;
  readonly jobs: readonly SlurmJob[];
}

/**
 * Submits the stages of a plan that are missing to Slurm, unless they are submitted already.
 *
 * @throws {UserError} when the same plan's jobs have not ended, or Slurm refuses.
 */
export async function submitPlan(
  { root, process: { stdout }, interrupt: signal }: CliContext,
  plan: Plan,
  { missing, store, flags }: {
    readonly missing: readonly StageNode[];
    readonly store: Store;
    readonly flags: SubmitFlags;
  },
): Promise<void> {
  const { graph, request } = plan;
  await Deno.mkdir(store.root, { recursive: true });
  const { device } = request;
  const speeds = await measurePlan(missing, { graph, store, device, jobs: 1, signal });
  const secondsPerTask = 60 * flags.minutesPerTask;
  const arrays = splitPlan(missing, { speeds, maxTasks: flags.maxTasks, secondsPerTask });
  const path = planFilePath(plansFolder(store.root), request);
  using _ = await store.lock(["submission", basename(path)]);
  const running = await statesOf(await readSubmission(submissionOf(path)));
  if (running.length > 0) {
    throw new UserError(
      `This plan is submitted: jobs ${
        running.map(({ id }) => id).join(", ")
      } have not ended. See ` +
        `"deno task jobs", or cancel them by "deno task jobs cancel".`,
    );
  }
  await writePlanFile(path, { request, arrays });
  const logs = join(plansFolder(store.root), "logs");
  await Deno.mkdir(logs, { recursive: true });
  const jobs = await submitToSlurm(arrays, {
    plan: path,
    root,
    logs,
    command: flags.jobCommand ?? `${Deno.execPath()} task --quiet`,
    sbatch: flags.sbatch.split(/\s+/).filter((word) => word !== ""),
  });
  const submission = JSON.stringify({ plan: path, jobs } satisfies Submission);
  await writeFileAtomically(submissionOf(path), new TextEncoder().encode(submission));
  for (const [i, { tasks, seconds }] of arrays.entries()) {
    stdout.write(
      `Job ${jobs[i]!.id}: ${tasks.length} tasks, the longest about ${durationInWords(seconds)}\n`,
    );
  }
  stdout.write(
    `Job ${jobs.at(-1)!.id} writes the results, or says what is missing. Logs: ${logs}\n`,
  );
}

/** Lines that tell how far the submitted plans are; none where nothing was submitted. */
export async function describeJobs(storeRoot: string): Promise<string[]> {
  const lines: string[] = [];
  for (const { plan, jobs } of await submissions(storeRoot)) {
    const running = await statesOf({ plan, jobs });
    if (running.length === 0) continue;
    for (const { id, array, tasks } of jobs) {
      const { states } = running.find((state) => state.id === id) ?? {};
      lines.push(
        `job ${id} of plan ${basename(plan, ".json")}, ${
          array === "report" ? "the report" : `array ${array}, ${tasks} tasks`
        }: ${
          states === undefined
            ? "ended"
            : Object.entries(states).map(([state, count]) => `${count} ${state}`).join(", ")
        }`,
      );
    }
  }
  return lines;
}

const listCommand = buildCommand<Record<never, never>, [], CliContext>({
  docs: {
    brief: "Say how far the submitted jobs are",
    fullDescription: "Example:\n  deno task jobs",
  },
  parameters: {},
  func: async function () {
    const lines = await describeJobs(this.storeRoot);
    const text = lines.length === 0 ? ["No job is waiting or running."] : lines;
    for (const line of text) this.process.stdout.write(`${line}\n`);
  },
});

const cancelCommand = buildCommand<Record<never, never>, [], CliContext>({
  docs: {
    brief: "Cancel every job that was submitted from this store; what they stored stays",
    fullDescription: "Example:\n  deno task jobs cancel",
  },
  parameters: {},
  func: async function () {
    let cancelled = 0;
    for (const submission of await submissions(this.storeRoot)) {
      const running = new Set((await statesOf(submission)).map(({ id }) => id));
      const jobs = submission.jobs.filter(({ id }) => running.has(id));
      await cancelSlurm(jobs);
      cancelled += jobs.length;
    }
    this.process.stdout.write(`Cancelled ${cancelled} jobs.\n`);
  },
});

/** `jobs`: what was submitted to a scheduler. */
export const jobsRoutes = buildRouteMap({
  routes: { list: listCommand, cancel: cancelCommand },
  defaultCommand: "list",
  docs: { brief: "The jobs of plans that were submitted to Slurm" },
});

const plansFolder = (storeRoot: string) => join(storeRoot, "plans");
const suffix = ".jobs.json";
const submissionOf = (plan: string) => plan.replace(/\.json$/, suffix);

async function submissions(storeRoot: string): Promise<Submission[]> {
  const folder = plansFolder(storeRoot);
  let names: string[];
  try {
    names = readFolder(folder).map(({ name }) => name).filter((name) => name.endsWith(suffix));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  const read = await Promise.all(names.map((name) => readSubmission(join(folder, name))));
  return read.filter((one) => one !== undefined);
}

async function readSubmission(path: string): Promise<Submission | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function statesOf(submission: Submission | undefined) {
  return submission === undefined ? [] : await slurmStates(submission.jobs);
}
