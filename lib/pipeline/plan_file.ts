import { join } from "node:path";
import { z } from "zod";
import { jsonOrNothing, UserError, writeFileAtomically } from "../files/mod.ts";
import { canonicalJson, contentKey, type Json } from "../store/mod.ts";
import { isStored, nodeOf } from "./graph.ts";
import type { Plan } from "./plan.ts";
import type { PlanRequest } from "./plan_request.ts";
import { type RunEvents, runGroup } from "./run_plan.ts";
import { withWorker, type WorkerOptions } from "./_start_worker.ts";
import type { Job, JobArray } from "./split_plan.ts";

const slice = z.strictObject({ index: z.int().min(0), count: z.int().min(1) });
const job = z.strictObject({
  keys: z.array(z.string()).min(1),
  slice: slice.optional(),
  finishes: z.int().optional(),
});
const schema = z.strictObject({
  schema: z.literal("lg-cav/plan"),
  version: z.literal(1),
  request: z.strictObject({
    profile: z.string(),
    experiments: z.array(z.string()),
    backbones: z.array(z.string()).optional(),
    methods: z.array(z.string()).optional(),
    seeds: z.array(z.number()).optional(),
    engine: z.enum(["ort", "tfjs"]),
    device: z.enum(["cpu", "webgpu", "cuda"]),
  }),
  arrays: z.array(z.strictObject({
    tasks: z.array(z.array(job)),
    seconds: z.number(),
    memory: z.number(),
  })),
});

/** A plan that was cut for several machines: its keys are frozen, so all of them compute the same. */
export interface PlanFile {
  readonly request: Omit<PlanRequest, "root">;
  readonly arrays: readonly JobArray[];
}

/** Where the plan of a request is kept in a folder: equal requests have one plan at a time. */
export function planFilePath(folder: string, { root: _, ...request }: PlanRequest): string {
  return join(folder, `${contentKey(request as Json).slice(0, 16)}.json`);
}

/** Writes a plan. */
export async function writePlanFile(path: string, { request, arrays }: PlanFile): Promise<void> {
  const { root: _, ...identity } = request as PlanRequest;
  const content = { schema: "lg-cav/plan", version: 1, request: identity, arrays };
  const text = canonicalJson(content as unknown as Json);
  await writeFileAtomically(path, new TextEncoder().encode(text));
}

/**
 * Reads a plan of {@linkcode writePlanFile}.
 *
 * @throws {UserError} when it is not there or none.
 */
export async function readPlanFile(path: string): Promise<PlanFile> {
  const text = await Deno.readTextFile(path).catch((cause) => {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new UserError(`There is no plan ${path}. Correct the path.`, { cause });
  });
  const { success, data } = schema.safeParse(jsonOrNothing(text));
  if (success) return data;
  throw new UserError(`${path} is no plan of stages. Submit it again.`);
}

/**
 * Checks that a plan of today has the stages of a job, by their keys.
 *
 * @throws {UserError} when code or inputs of this machine give others.
 */
export function requireKeys({ graph }: Pick<Plan, "graph">, { keys }: Job): void {
  const other = keys.filter((key) => !graph.has(key));
  if (other.length === 0) return;
  throw new UserError(
    `${other.length} of ${keys.length} stages of this task are none that this machine would compute ` +
      `(the first is ${
        other[0]
      }): its code, configs or inputs are not those of the plan. Bring the ` +
      `machines to the same commit and files, or submit anew.`,
  );
}

/**
 * Computes a job in a worker of this process.
 *
 * @throws {UserError} when something that it needs was not computed.
 */
export async function runJob(
  job: Job,
  { events, ...options }: Omit<WorkerOptions, "targets"> & {
    readonly events: RunEvents;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { graph, store } = options;
  const nodes = job.keys.map((key) => nodeOf(graph, key));
  for (const need of new Set(nodes.flatMap(({ needs }) => Object.values(needs)))) {
    const node = nodeOf(graph, need);
    if (job.keys.includes(need) || await isStored(node, store)) continue;
    throw new UserError(
      `"${
        nodes[0]!.id
      }" needs "${node.id}", which was not computed. See why in the log of its job, ` +
        `and submit again.`,
    );
  }
  const missing = await withWorker(
    { ...options, targets: job.keys },
    (worker) => runGroup(worker, nodes, { events, job }),
  );
  if (missing === undefined) return;
  throw new UserError(
    `"${nodes[0]!.id}" needs "${nodeOf(graph, missing).id}", which is damaged. Submit again.`,
  );
}

/** The stages of a plan that are not in the store, of all that was to be run. */
export async function stillMissing(
  { graph }: Pick<Plan, "graph">,
  { arrays }: PlanFile,
  { store }: Pick<WorkerOptions, "store">,
): Promise<string[]> {
  const keys = new Set(arrays.flatMap(({ tasks }) => tasks.flat().flatMap(({ keys }) => keys)));
  const missing: string[] = [];
  for (const key of keys) {
    const node = nodeOf(graph, key);
    if (!await isStored(node, store)) missing.push(node.id);
  }
  return missing;
}
