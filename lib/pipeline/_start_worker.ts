import { StorageError, UserError } from "../files/mod.ts";
import type { Device } from "../onnx/mod.ts";
import type { Store } from "../store/mod.ts";
import { closure, type Graph } from "./graph.ts";
import type { WorkerRequest } from "./_worker.ts";

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

/** Starts a worker that knows its part of a plan. */
export function startWorker({ graph, targets, store, device, jobs }: WorkerOptions): Worker {
  const worker = new Worker(new URL("./_worker.ts", import.meta.url), { type: "module" });
  const threads = Math.max(1, Math.floor(navigator.hardwareConcurrency / jobs));
  const nodes = closure(graph, targets);
  send(worker, { kind: "plan", plan: { nodes, storeRoot: store.root, device, threads } });
  return worker;
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
