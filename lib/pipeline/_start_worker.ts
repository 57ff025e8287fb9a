import { StorageError, UserError } from "../files/mod.ts";
import type { Device } from "../onnx/mod.ts";
import type { Store } from "../store/mod.ts";
import { closure, type Graph } from "./graph.ts";
import type { WorkerMessage, WorkerRequest } from "./_worker.ts";

/** What a worker is started for. */
export interface WorkerOptions {
  readonly graph: Graph;
  /** The keys of the nodes that it may be asked for, with what they need. */
  readonly targets: Iterable<string>;
  readonly store: Store;
  readonly device: Device;
  /** How many workers run at once: they share the processor's threads. */
  readonly jobs: number;
}

/** Workers that an error ended: they answer nothing. */
const dead = new WeakSet<Worker>();

/** Starts a worker that knows its part of a plan. */
export function startWorker({ graph, targets, store, device, jobs }: WorkerOptions): Worker {
  const worker = new Worker(new URL("./_worker.ts", import.meta.url), { type: "module" });
  const threads = Math.max(1, Math.floor(navigator.hardwareConcurrency / jobs));
  worker.addEventListener("error", () => dead.add(worker));
  const nodes = closure(graph, targets);
  send(worker, { kind: "plan", plan: { nodes, storeRoot: store.root, device, threads } });
  return worker;
}

/**
 * How long a worker may go on with what cannot be stopped, such as the opening of a large model. A
 * thread that is ended within the runtime may end the process, with another exit code.
 */
const patience = { milliseconds: 10_000 };

/**
 * Lets workers stop what they do, release their models and end; nothing more of it is told. One that
 * takes too long is ended by force.
 */
export async function closeWorkers(workers: readonly Worker[]): Promise<void> {
  const { promise: tooLong, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, patience.milliseconds);
  await Promise.race([Promise.all(workers.map(closed)), tooLong]);
  clearTimeout(timer);
  for (const worker of workers) worker.terminate();
}

function closed(worker: Worker): Promise<void> {
  if (dead.has(worker)) return Promise.resolve();
  return new Promise((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
      if (data.kind === "closed") resolve();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      resolve();
    };
    send(worker, { kind: "close" });
  });
}

/**
 * Lets a worker serve one purpose; however that ends, also by an abort, the worker is closed after it.
 *
 * @throws the signal's reason once it aborts.
 */
export async function withWorker<T>(
  { signal, ...options }: WorkerOptions & { readonly signal: AbortSignal },
  use: (worker: Worker) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const worker = startWorker(options);
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([use(worker), aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    await closeWorkers([worker]);
  }
}

/** Asks a worker for something. */
export function send(worker: Worker, request: WorkerRequest): void {
  worker.postMessage(request);
}

/** Errors lose their class between threads; the two whose class decides the exit code get it back. */
export function asError(
  { name, message }: { readonly name: string; readonly message: string },
): Error {
  const known = { UserError, StorageError }[name];
  return known === undefined ? new Error(message) : new known(message);
}
