import { UserError } from "../files/mod.ts";
import { StorageError } from "../files/mod.ts";
import { openStore, type Store } from "../store/mod.ts";
import { allStages, materialise } from "./materialise.ts";
import { buildPlan, type Plan } from "./plan.ts";
import type { PlanSpec } from "./plan_spec.ts";

/** Asks a worker for one stage of a plan. */
export interface WorkerRequest {
  readonly spec: PlanSpec;
  readonly stageId: string;
  readonly storeRoot: string;
  readonly threads: number;
}

/** What a worker says about the stage it works on. */
export type WorkerMessage =
  | { readonly kind: "progress"; readonly done: number; readonly total: number }
  | { readonly kind: "corrupt"; readonly path: string }
  | { readonly kind: "failed"; readonly name: string; readonly message: string }
  | { readonly kind: "done" };

const scope = self as unknown as {
  onmessage: (event: MessageEvent<WorkerRequest>) => void;
  postMessage: (message: WorkerMessage) => void;
};

const tell = (message: WorkerMessage) => scope.postMessage(message);
// A worker serves one run, whose plan and store stay the same.
let store: Store | undefined;
let plan: Plan | undefined;

scope.onmessage = async ({ data: { spec, stageId, storeRoot, threads } }) => {
  try {
    store ??= openStore(storeRoot, { onCorrupt: (path) => tell({ kind: "corrupt", path }) });
    plan ??= await buildPlan(spec);
    const stage = allStages(plan.targets).find(({ id }) => id === stageId);
    if (stage === undefined) throw new Error(`The plan has no stage "${stageId}".`);
    await materialise(stage, {
      store,
      device: spec.device,
      threads,
      signal: new AbortController().signal,
      onProgress: (done, total) => tell({ kind: "progress", done, total }),
    });
    tell({ kind: "done" });
  } catch (error) {
    tell({ kind: "failed", ...transferable(error) });
  }
};

/** What of an error passes between threads; a fault brings its stack along. */
function transferable(error: unknown): { name: string; message: string } {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { name, message, stack } = error;
  const sentence = error instanceof UserError || error instanceof StorageError;
  return { name, message: sentence ? message : stack ?? message };
}
