import {
  type Graph,
  measurePlan,
  missingNodes,
  planCost,
  type PlannedEngine,
  type PlanRequest,
  planSeconds,
  requireRoom,
  roomOf,
  runPlan,
} from "../pipeline/mod.ts";
import type { Store } from "../store/mod.ts";
import type { CliContext } from "./context.ts";
import { describeCost } from "./describe_cost.ts";
import { showProgress } from "./progress.ts";

/** Multiply-adds of which no machine makes more than a second or so. */
const worthMeasuring = 1e11;

/** What of a graph is computed, and into which store. */
export interface RunStagesOptions {
  /** The keys of the stages whose values are wanted. */
  readonly targets: readonly string[];
  readonly store: Store;
  /** Stages at once, where the memory allows it. */
  readonly jobs: number;
  /** Keys of stages whose stored values turned out to be unreadable. */
  readonly damaged?: ReadonlySet<string>;
}

/**
 * Computes the stages that are not in the store, after their memory, disk and time were compared with
 * what the machine has; shows their progress. Ctrl-C stops, and what is finished stays.
 *
 * @throws {UserError} when the disk or the memory is too small, or a stage finds a mistake.
 */
export async function runStages(
  { process: { stderr }, interrupt }: CliContext,
  { graph, device, engine }: {
    readonly graph: Graph;
    readonly device: PlanRequest["device"];
    readonly engine: PlannedEngine;
  },
  { targets, store, jobs: wanted, damaged = new Set() }: RunStagesOptions,
): Promise<void> {
  const missing = await missingNodes(graph, targets, { store, damaged });
  if (missing.length === 0) return;
  await Deno.mkdir(store.root, { recursive: true });
  const jobs = requireRoom(missing, { room: roomOf(store.root), jobs: wanted });
  if (jobs < wanted) {
    stderr.write(`${jobs} stages run at once, not ${wanted}: the memory is too small for more.\n`);
  }
  const cost = planCost(missing);
  // What is computed again because it was damaged goes on without another measurement.
  if (cost.multiplyAdds > worthMeasuring && damaged.size === 0) {
    const speeds = await measurePlan(missing, { graph, store, device, jobs, signal: interrupt });
    const seconds = planSeconds(missing, { speeds, jobs });
    stderr.write(`To run: ${describeCost(cost, { seconds, speeds })}\n`);
  }
  if (missing.some(({ kind }) => kind === "cavs" || kind === "word_cav")) {
    stderr.write(`CAVs are trained by ${engine.description}.\n`);
  }
  const events = showProgress(stderr, { stages: missing.length, now: () => Date.now() });
  try {
    await runPlan({ graph, targets, damaged, store, device, jobs, signal: interrupt, events });
  } finally {
    events.stop();
  }
}
