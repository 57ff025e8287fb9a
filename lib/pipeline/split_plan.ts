import { groupOf, kindOf } from "./graph.ts";
import { planCost, planSeconds, type Speeds } from "./preflight.ts";
import type { Slice, StageNode } from "./stage.ts";

/** Stages of one group that a machine computes in one go. */
export interface Job {
  readonly keys: readonly string[];
  /** A share of their blocks; the rest, and what marks them as complete, when left out. */
  readonly slice?: Slice | undefined;
  /** Into how many slices their blocks were cut before. */
  readonly finishes?: number | undefined;
}

/** Tasks that need nothing of each other. Each has one job or more, done one after the other. */
export interface JobArray {
  readonly tasks: readonly (readonly Job[])[];
  /** Of the longest task, as estimated. */
  readonly seconds: number;
  /** Bytes that the largest job holds. */
  readonly memory: number;
}

/** How a plan is cut. */
export interface SplitOptions {
  readonly speeds: Speeds;
  /** Tasks of an array at most: schedulers bound it, Slurm at 1001 unless it is told otherwise. */
  readonly maxTasks: number;
  /** Shorter jobs share a task, longer ones are cut into slices where their kind has blocks. */
  readonly secondsPerTask: number;
}

/** A job with its estimated time. */
interface TimedJob extends Job {
  readonly seconds: number;
}

/**
 * Cuts stages into arrays of tasks: the needs of an array are computed by those before it.
 *
 * @param missing stages to run, each after the ones that it needs.
 */
export function splitPlan(missing: readonly StageNode[], options: SplitOptions): JobArray[] {
  const { speeds, secondsPerTask } = options;
  const arrays: JobArray[] = [];
  for (const level of levelsOf(missing)) {
    const memory = planCost(level).memory;
    const groups = [...Map.groupBy(level, groupOf).values()];
    const slices: TimedJob[] = [];
    const whole: TimedJob[] = [];
    for (const group of groups) {
      const seconds = planSeconds(group, { speeds, jobs: 1 });
      const keys = group.map(({ key }) => key);
      const count = kindOf(group[0]!).inBlocks ? Math.ceil(seconds / secondsPerTask) : 1;
      if (count <= 1) whole.push({ keys, seconds });
      else {
        whole.push({ keys, seconds: 0, finishes: count });
        for (let index = 0; index < count; index++) {
          slices.push({ keys, slice: { index, count }, seconds: seconds / count });
        }
      }
    }
    for (const jobs of [slices, whole]) {
      if (jobs.length > 0) arrays.push({ ...packed(jobs, options), memory });
    }
  }
  return arrays;
}

/** Stages by how many others must run before them. */
function levelsOf(missing: readonly StageNode[]): StageNode[][] {
  const levels = new Map<string, number>();
  for (const { key, needs } of missing) {
    levels.set(
      key,
      1 + Math.max(-1, ...Object.values(needs).map((need) => levels.get(need) ?? -1)),
    );
  }
  const byLevel = Map.groupBy(missing, ({ key }) => levels.get(key)!);
  return [...byLevel].sort(([a], [b]) => a - b).map(([, nodes]) => nodes);
}

/** Jobs in the order given, a new task begun when one is long enough. */
function packed(
  jobs: readonly TimedJob[],
  { maxTasks, secondsPerTask }: SplitOptions,
): Omit<JobArray, "memory"> {
  const total = jobs.reduce((sum, { seconds }) => sum + seconds, 0);
  const seconds = Math.max(secondsPerTask, 2 * total / maxTasks);
  const perTask = Math.ceil(jobs.length / maxTasks);
  const tasks: TimedJob[][] = [];
  let filled = Infinity;
  for (const job of jobs) {
    const last = tasks.at(-1);
    const hasRoom = last !== undefined &&
      (filled + job.seconds <= seconds || last.length < perTask);
    if (hasRoom && tasks.length > 0) last.push(job);
    else tasks.push([job]);
    filled = hasRoom ? filled + job.seconds : job.seconds;
  }
  return {
    tasks: tasks.map((task) => task.map(({ seconds: _, ...job }) => job)),
    seconds: Math.max(...tasks.map((task) => task.reduce((sum, { seconds }) => sum + seconds, 0))),
  };
}
