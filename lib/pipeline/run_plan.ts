import { asError, closeWorkers, send, startWorker, type WorkerOptions } from "./_start_worker.ts";
import { groupOf, kindOf, missingNodes, nodeOf } from "./graph.ts";
import type { StageRecord } from "../store/mod.ts";
import type { Job } from "./split_plan.ts";
import type { StageNode } from "./stage.ts";
import type { WorkerMessage } from "./_worker.ts";

/** What a run tells while it goes on. Nodes that a worker computes in one go are told together. */
export interface RunEvents {
  readonly onStart: (nodes: readonly StageNode[]) => void;
  readonly onProgress: (nodes: readonly StageNode[], done: number, total: number) => void;
  readonly onDone: (nodes: readonly StageNode[], seconds: number) => void;
  /** A stored artifact failed its checksum and is computed again. */
  readonly onCorrupt: (path: string) => void;
  /** A stage came out otherwise than what is stored, which stays; who computed that, if recorded. */
  readonly onDiffers: (path: string, there: StageRecord | undefined) => void;
  /** A file of a stored folder was compared with its checksum, before the folder is used. */
  readonly onCompared: (path: string, done: number, total: number) => void;
}

/** How a plan is run: `jobs` groups of nodes at once, each in its own thread. */
export interface RunPlanOptions extends WorkerOptions {
  /** The keys of the nodes whose values are wanted. */
  readonly targets: readonly string[];
  /** Keys of nodes whose stored values turned out to be unreadable. */
  readonly damaged?: ReadonlySet<string>;
  readonly signal: AbortSignal;
  readonly events: RunEvents;
}

/** Rounds after which a node that stays damaged is a fault of ours or of the disk. */
const maxRepairs = 1000;

/**
 * Computes the nodes that are not in the store, `jobs` groups at a time, each in a worker that
 * shares nothing but the store. A node whose need turns out to be damaged waits until that was
 * computed again. An abort stops the workers; finished parts are kept.
 *
 * @throws what the first failing node threw.
 */
export async function runPlan(options: RunPlanOptions): Promise<void> {
  const { graph, targets, store, jobs, signal } = options;
  const damaged = new Set(options.damaged);
  let waiting = await missingNodes(graph, targets, { store, damaged });
  if (waiting.length === 0) return;
  const unfinished = new Set(waiting.map(({ key }) => key));
  const workers = Array.from(
    { length: Math.min(jobs, waiting.length) },
    () => startWorker(options),
  );
  const idle = [...workers];
  const repairs = new Map<string, number>();
  try {
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      const repair = async (group: readonly StageNode[], key: string) => {
        damaged.add(key);
        const again = await missingNodes(graph, [key], { store, damaged });
        const known = new Set(waiting.map((node) => node.key));
        const added = again.filter((node) => !known.has(node.key) && !unfinished.has(node.key));
        if (added.some((node) => node.key === key)) {
          // A round finds one damaged part, and each worker may still have seen the damage of before.
          const times = repairs.get(key) ?? 0;
          if (times === maxRepairs) {
            throw new Error(
              `Stage "${nodeOf(graph, key).id}" was computed again and is still damaged.`,
            );
          }
          repairs.set(key, times + 1);
        }
        added.forEach((node) => unfinished.add(node.key));
        waiting = [...added, ...group, ...waiting];
      };
      const work = async (worker: Worker, group: readonly StageNode[]) => {
        const missing = await runGroup(worker, group, options);
        if (missing !== undefined) await repair(group, missing);
        else {
          group.forEach(({ key }) => {
            unfinished.delete(key);
            damaged.delete(key);
          });
        }
        idle.push(worker);
        dispatch();
      };
      const dispatch = () => {
        if (unfinished.size === 0) return resolve();
        while (idle.length > 0) {
          const group = nextGroup(waiting, { unfinished, running: workers.length - idle.length });
          if (group.length === 0) return;
          const chosen = new Set(group);
          waiting = waiting.filter((node) => !chosen.has(node));
          const worker = idle.pop()!;
          work(worker, group).catch((error) => {
            idle.push(worker);
            reject(error);
          });
        }
      };
      dispatch();
    });
  } finally {
    await closeWorkers(workers);
  }
}

/**
 * The next nodes that can run: a quick one that may find a mistake, else those of the first group none of whose nodes waits for another stage,
 * or, when nothing runs, those of the first group that has one that can.
 */
function nextGroup(
  waiting: readonly StageNode[],
  { unfinished, running }: { readonly unfinished: ReadonlySet<string>; readonly running: number },
): StageNode[] {
  const isReady = (node: StageNode) =>
    Object.values(node.needs).every((key) => !unfinished.has(key));
  let partial: StageNode[] = [];
  const check = waiting.find((node) => kindOf(node).isCheck && isReady(node));
  if (check !== undefined) return [check];
  for (const group of Map.groupBy(waiting, groupOf).values()) {
    const ready = group.filter(isReady);
    if (ready.length === group.length) return ready;
    if (partial.length === 0) partial = ready;
  }
  return running === 0 ? partial : [];
}

/**
 * Lets a worker compute a group, or what a job says of it; returns the key of a need that it found
 * damaged, if any.
 */
export function runGroup(
  worker: Worker,
  group: readonly StageNode[],
  { events, job }: { readonly events: RunEvents; readonly job?: Job },
): Promise<string | undefined> {
  const started = performance.now();
  events.onStart(group);
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
      if (data.kind === "progress") return events.onProgress(group, data.done, data.total);
      if (data.kind === "corrupt") return events.onCorrupt(data.path);
      if (data.kind === "differs") return events.onDiffers(data.path, data.there);
      if (data.kind === "compared") return events.onCompared(data.path, data.done, data.total);
      if (data.kind === "failed") return reject(asError(data));
      if (data.kind === "missing") return resolve(data.key);
      events.onDone(group, (performance.now() - started) / 1000);
      resolve(undefined);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      const ids = group.map(({ id }) => id).join(", ");
      reject(new Error(`The worker of stage "${ids}" stopped: ${event.message}`));
    };
    send(worker, { kind: "run", keys: group.map(({ key }) => key), ...job });
  });
}
