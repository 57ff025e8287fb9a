import { cpus } from "node:os";
import { StorageError, UserError } from "../files/mod.ts";
import type { Device } from "../onnx/mod.ts";
import { type ArtifactRef, openStore, type StageRecord, type Store } from "../store/mod.ts";
import { measureSpeeds } from "./_measure_speeds.ts";
import { groupOf, isStored, kindOf, loadValue } from "./graph.ts";
import type { Speeds } from "./preflight.ts";
import type { Job } from "./split_plan.ts";
import { jsonCodec, MissingNeed, refOf, type Slice, type StageNode } from "./stage.ts";

/** Tells a worker the plan that it works on; it keeps it. */
export interface WorkerPlan {
  readonly nodes: readonly StageNode[];
  readonly storeRoot: string;
  readonly device: Device;
  readonly threads: number;
}

/**
 * Asks a worker for the values of nodes of one group, by key, or how fast it would compute some; or to
 * stop what it does, release its models and end.
 */
export type WorkerRequest =
  | { readonly kind: "plan"; readonly plan: WorkerPlan }
  | ({ readonly kind: "run" } & Job)
  | { readonly kind: "measure"; readonly keys: readonly string[] }
  | { readonly kind: "close" };

/** What a worker says about the nodes that it works on. */
export type WorkerMessage =
  | { readonly kind: "progress"; readonly done: number; readonly total: number }
  | { readonly kind: "corrupt"; readonly path: string }
  | { readonly kind: "differs"; readonly path: string; readonly there: StageRecord | undefined }
  | {
    readonly kind: "compared";
    readonly path: string;
    readonly done: number;
    readonly total: number;
  }
  | { readonly kind: "missing"; readonly key: string }
  | { readonly kind: "failed"; readonly name: string; readonly message: string }
  | { readonly kind: "measured"; readonly speeds: Speeds }
  | { readonly kind: "done" }
  /** Nothing is told after it: no model is open, and the thread ends. */
  | { readonly kind: "closed" };

const scope = self as unknown as {
  onmessage: (event: MessageEvent<WorkerRequest>) => void;
  postMessage: (message: WorkerMessage) => void;
  close: () => void;
};

const tell = (message: WorkerMessage) => scope.postMessage(message);
// A worker serves one run, whose plan and store stay the same.
let plan: WorkerPlan;
let store: Store;
let nodes: ReadonlyMap<string, StageNode>;

/** What it works on, which closes its models however it ends. */
let work: Promise<void> = Promise.resolve();
const closing = new AbortController();

scope.onmessage = ({ data }) => {
  if (data.kind === "plan") {
    plan = data.plan;
    nodes = new Map(plan.nodes.map((node) => [node.key, node]));
    store = openStore(plan.storeRoot, {
      onCorrupt: (path) => tell({ kind: "corrupt", path }),
      onDiffers: (path, there) => tell({ kind: "differs", path, there }),
      onCompared: (path, done, total) => tell({ kind: "compared", path, done, total }),
    });
  } else if (data.kind === "close") {
    closing.abort();
    work.then(() => {
      tell({ kind: "closed" });
      scope.close();
    });
  } else work = answer(data);
};

/** Does what is asked and tells how it went; it never rejects. */
async function answer(
  data: Extract<WorkerRequest, { readonly kind: "run" | "measure" }>,
): Promise<void> {
  try {
    const asked = data.keys.map((key) => nodes.get(key)!);
    if (data.kind === "measure") {
      const { signal } = closing;
      const speeds = await measureSpeeds(asked, { ...plan, graph: nodes, store, signal });
      return tell({ kind: "measured", speeds });
    }
    await runOnce(asked, data);
    tell({ kind: "done" });
  } catch (error) {
    if (error instanceof MissingNeed) tell({ kind: "missing", key: error.key });
    else tell({ kind: "failed", ...transferable(error) });
  }
}

/** Computes nodes of one group, but for those that another process was computing and has stored. */
async function runOnce(group: readonly StageNode[], job: Job): Promise<void> {
  const { slice = null } = job;
  using lock = await store.lock([groupOf(group[0]!), slice && [slice.index, slice.count]]);
  const left = lock.waited
    ? (await Promise.all(
      group.map(async (node) => await isStored(node, store) ? [] : [node]),
    )).flat()
    : group;
  if (left.length > 0) await run(left, job);
}

/** Computes nodes of one group. Values that they share are loaded once. */
async function run(group: readonly StageNode[], { slice, finishes = 0 }: Job): Promise<void> {
  const values = new Map<string, Promise<unknown>>();
  const valueOf = (key: string) => {
    closing.signal.throwIfAborted();
    const value = values.get(key) ?? loadValue<never>(nodes.get(key)!, store);
    values.set(key, value);
    return value;
  };
  const started = new Date();
  const memory = watchMemory();
  const remarks = new Set<string>();
  try {
    await kindOf(group[0]!).run(group as never, {
      store,
      device: plan.device,
      threads: plan.threads,
      signal: closing.signal,
      slice,
      remark: (sentence) => remarks.add(sentence),
      need: (node, role) => valueOf(node.needs[role]!) as Promise<never>,
      onProgress: (done, total) => tell({ kind: "progress", done, total }),
    });
  } finally {
    memory.stop();
  }
  const record: StageRecord = {
    host: Deno.hostname(),
    cpu: cpus()[0]?.model ?? "unknown",
    started: started.toISOString(),
    seconds: (Date.now() - started.getTime()) / 1000 / group.length,
    peakMemoryBytes: memory.peak(),
    remarks: [...remarks],
  };
  for (const node of group) {
    if (slice === undefined) {
      const slices = await recordsOfSlices(node, finishes);
      await store.writeRecord(refOf(node), joinRecords([...slices, record]));
    } else await store.write(sliceRecordRef(node, slice), recordCodec.encode(record));
  }
}

const recordCodec = jsonCodec<StageRecord>();

/** Where it is kept what a slice of a stage took. */
function sliceRecordRef(node: StageNode, { index, count }: Slice): ArtifactRef {
  return { ...refOf(node), part: `slice-${index}-of-${count}.record` };
}

/** The records of the slices that were computed of a node, as far as they are there. */
async function recordsOfSlices(node: StageNode, count: number): Promise<StageRecord[]> {
  const stored = await Promise.all(
    Array.from({ length: count }, (_, index) => store.read(sliceRecordRef(node, { index, count }))),
  );
  return stored.flatMap((bytes) => bytes === undefined ? [] : [recordCodec.decode(bytes)]);
}

/** What several computations of one stage took together, by the first of them. */
function joinRecords(records: readonly StageRecord[]): StageRecord {
  const [first] = records.toSorted((a, b) => a.started < b.started ? -1 : 1);
  return {
    ...first!,
    seconds: records.reduce((sum, { seconds }) => sum + seconds, 0),
    peakMemoryBytes: Math.max(...records.map(({ peakMemoryBytes }) => peakMemoryBytes)),
    remarks: [...new Set(records.flatMap(({ remarks }) => remarks))],
  };
}

/** The largest memory of the process, looked at now and then. */
function watchMemory() {
  let peak = Deno.memoryUsage().rss;
  const look = () => peak = Math.max(peak, Deno.memoryUsage().rss);
  const timer = setInterval(look, 200);
  return { peak: () => Math.max(peak, look()), stop: () => clearInterval(timer) };
}

/** What of an error passes between threads; a fault brings its stack along. */
function transferable(error: unknown): { name: string; message: string } {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { name, message, stack } = error;
  const sentence = error instanceof UserError || error instanceof StorageError;
  return { name, message: sentence ? message : stack ?? message };
}
