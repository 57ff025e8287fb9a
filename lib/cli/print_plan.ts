import {
  closure,
  isStored,
  measurePlan,
  missingNodes,
  type Plan,
  planCost,
  type PlannedExperiment,
  planSeconds,
  requireRoom,
  roomOf,
  type Speeds,
  type StageNode,
  targetsOf,
} from "../pipeline/mod.ts";
import { UserError } from "../files/mod.ts";
import { openStore, type Store } from "../store/mod.ts";
import type { CliContext } from "./context.ts";
import { describeCost, describeEstimate } from "./describe_cost.ts";

/** How a plan is printed. */
export interface PrintPlanOptions {
  readonly json: boolean;
  readonly jobs: number;
}

/**
 * Prints every stage of a plan, stored or to run, then for each experiment what is ahead of it and
 * for all of them together how long it will take, and what is missing. Nothing is computed but the
 * little that tells how fast this machine is.
 */
export async function printPlan(
  context: CliContext,
  plan: Plan,
  { json, jobs }: PrintPlanOptions,
): Promise<void> {
  const { process: { stdout }, interrupt: signal } = context;
  const store = openStore(context.storeRoot);
  const nodes = closure(plan.graph, wanted(plan.experiments));
  const stored = new Map(
    await Promise.all(nodes.map(async (node) => [node.key, await isStored(node, store)] as const)),
  );
  if (json) {
    const rows = nodes.map(({ id, key, work, estimate }) => ({
      id,
      key,
      work,
      estimate,
      stored: stored.get(key),
    }));
    return stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  }
  const width = Math.max(...nodes.map(({ id }) => id.length));
  for (const { id, key, work, estimate } of nodes) {
    const state = stored.get(key) ? "stored " : "to run ";
    stdout.write(`${state} ${id.padEnd(width)}  ${work}${describeEstimate(estimate)}\n`);
  }
  const missing = await missingNodes(plan.graph, wanted(plan.experiments), { store });
  stdout.write(`${nodes.length} stages, ${missing.length} to run. Nothing was computed.\n`);
  if (missing.length > 0) {
    await Deno.mkdir(store.root, { recursive: true });
    const { graph, request: { device } } = plan;
    const speeds = await measurePlan(missing, { graph, store, device, jobs, signal });
    for (const line of await linesOf(plan, { store, missing, speeds, jobs })) {
      stdout.write(`${line}\n`);
    }
  }
  if (plan.missing.length > 0) stdout.write(`${missingSentence(plan)}\n`);
}

/** What is ahead, by experiment where there are several, and whether it fits. */
async function linesOf(
  { graph, experiments }: Plan,
  { store, missing, speeds, jobs }: {
    readonly store: Store;
    readonly missing: readonly StageNode[];
    readonly speeds: Speeds;
    readonly jobs: number;
  },
): Promise<string[]> {
  const lines: string[] = [];
  const describe = (name: string, nodes: readonly StageNode[]) => {
    const seconds = planSeconds(nodes, { speeds, jobs });
    lines.push(`${name}: ${describeCost(planCost(nodes), { seconds, speeds })}`);
  };
  if (experiments.length > 1) {
    for (const one of experiments) {
      describe(one.experiment.id, await missingNodes(graph, wanted([one]), { store }));
    }
  }
  describe("To run", missing);
  try {
    requireRoom(missing, { room: roomOf(store.root), jobs });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    lines.push(error.message);
  }
  return lines;
}

/** The measurements, checks, and what a result says of the images and concepts that were left out. */
export function wanted(experiments: readonly PlannedExperiment[]): string[] {
  const described = experiments.flatMap(({ images, concepts, checks }) => [
    ...images.map(({ readable }) => readable.key),
    ...[...concepts.values(), ...checks].map(({ key }) => key),
  ]);
  return [...targetsOf(experiments), ...new Set(described)];
}

/** What must be brought before a plan can run, and how. */
export function missingSentence({ profile, missing }: Plan): string {
  const lines = missing.map(({ source: { name, megabytes }, where }) =>
    `\n  ${name} (${megabytes} MB): ${where}`
  );
  return `The profile "${profile.name}" needs files that are not here:${lines.join("")}`;
}
