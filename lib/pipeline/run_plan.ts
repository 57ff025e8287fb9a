import { UserError } from "../files/mod.ts";
import { StorageError } from "../files/mod.ts";
import type { Store } from "../store/mod.ts";
import { missingStages } from "./materialise.ts";
import type { PlanSpec } from "./plan_spec.ts";
import type { Stage } from "./stage.ts";
import type { WorkerMessage, WorkerRequest } from "./_worker.ts";

/** What a run tells while it goes on. */
export interface RunEvents {
  readonly onStart: (stage: Stage<unknown>) => void;
  readonly onProgress: (stage: Stage<unknown>, done: number, total: number) => void;
  readonly onDone: (stage: Stage<unknown>, seconds: number) => void;
  /** A stored artifact failed its checksum and is computed again. */
  readonly onCorrupt: (path: string) => void;
}

/** How a plan is run. */
export interface RunPlanOptions {
  readonly spec: PlanSpec;
  readonly targets: readonly Stage<unknown>[];
  readonly store: Store;
  /** How many stages run at once, each in its own thread. */
  readonly jobs: number;
  readonly signal: AbortSignal;
  readonly events: RunEvents;
}

/**
 * Runs the stages that are not in the store, `jobs` at a time, each in a worker that shares nothing
 * but the store. Returns the seconds that each took. An abort stops the workers at once; finished
 * batches and blocks are kept.
 *
 * @throws what the first failing stage threw.
 */
export async function runPlan(options: RunPlanOptions): Promise<ReadonlyMap<string, number>> {
  const { targets, store, jobs, signal } = options;
  const waiting = await missingStages(targets, { store });
  const seconds = new Map<string, number>();
  if (waiting.length === 0) return seconds;
  const unfinished = new Set(waiting.map((stage) => stage.ref.key));
  const workers = Array.from({ length: Math.min(jobs, waiting.length) }, startWorker);
  const idle = [...workers];
  try {
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      const dispatch = () => {
        if (unfinished.size === 0) return resolve();
        while (idle.length > 0) {
          const next = waiting.findIndex((stage) =>
            stage.needs.every((needed) => !unfinished.has(needed.ref.key))
          );
          if (next < 0) return;
          const [stage] = waiting.splice(next, 1);
          const worker = idle.pop()!;
          runStage(worker, stage!, options).then((elapsed) => {
            seconds.set(stage!.id, elapsed);
            unfinished.delete(stage!.ref.key);
            idle.push(worker);
            dispatch();
          }).catch(reject);
        }
      };
      dispatch();
    });
  } finally {
    for (const worker of workers) worker.terminate();
  }
  return seconds;
}

/** Errors lose their class between threads; the two whose class decides the exit code get it back. */
function asError({ name, message }: { readonly name: string; readonly message: string }): Error {
  const known = { UserError, StorageError }[name];
  return known === undefined ? new Error(message) : new known(message);
}

function startWorker(): Worker {
  return new Worker(new URL("./_worker.ts", import.meta.url), { type: "module" });
}

function runStage(
  worker: Worker,
  stage: Stage<unknown>,
  { spec, jobs, store, events }: RunPlanOptions,
): Promise<number> {
  const started = performance.now();
  events.onStart(stage);
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
      if (data.kind === "progress") return events.onProgress(stage, data.done, data.total);
      if (data.kind === "corrupt") return events.onCorrupt(data.path);
      if (data.kind === "failed") return reject(asError(data));
      const seconds = (performance.now() - started) / 1000;
      events.onDone(stage, seconds);
      resolve(seconds);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`The worker of stage "${stage.id}" stopped: ${event.message}`));
    };
    const threads = Math.max(1, Math.floor(navigator.hardwareConcurrency / jobs));
    const request: WorkerRequest = { spec, stageId: stage.id, storeRoot: store.root, threads };
    worker.postMessage(request);
  });
}
