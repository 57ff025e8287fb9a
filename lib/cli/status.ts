import { buildCommand } from "@stricli/core";
import {
  buildPlan,
  experimentIds,
  loadExperiment,
  missingNodes,
  resultFolder,
  targetsOf,
} from "../pipeline/mod.ts";
import { openDigests, openStore } from "../store/mod.ts";
import { recordedTargets, sameKeys } from "./_recorded_targets.ts";
import type { CliContext } from "./context.ts";
import { planFlags } from "./plan_flags.ts";
import { describeJobs } from "./submit.ts";

/** What is known of one experiment's result. */
export interface Status {
  readonly id: string;
  readonly title: string;
  readonly paper: string | null;
  /**
   * `fresh`: made by the plan as it is now. `stale`: by another plan. `stored`: there is no result,
   * and all that it is made of is in the store. `missing`: neither. `unavailable`: the profile lacks
   * what it needs.
   */
  readonly result: "missing" | "stored" | "stale" | "fresh" | "unavailable";
  /** Why it is unavailable. */
  readonly reason?: string;
  readonly stages: number;
  readonly stagesToRun: number;
}

/** What is known of the results of every experiment of a profile. */
async function statusOfAll(
  { root, storeRoot }: CliContext,
  profile: string,
): Promise<Status[]> {
  const experiments = experimentIds(root);
  const unavailable = new Map<string, string>();
  const plan = await buildPlan(
    { root, profile, experiments, engine: "ort", device: "cpu" },
    {
      digests: openDigests(storeRoot),
      onUnavailable: (id, { message }) => unavailable.set(id, message),
    },
  );
  const store = openStore(storeRoot);
  const planned = new Map(plan.experiments.map((one) => [one.experiment.id, one]));
  return await Promise.all(experiments.map(async (id): Promise<Status> => {
    const one = planned.get(id);
    if (one === undefined) {
      const { title, paper = null } = await loadExperiment(root, id);
      const reason = unavailable.get(id)!;
      return { id, title, paper, result: "unavailable", reason, stages: 0, stagesToRun: 0 };
    }
    const { title, paper = null } = one.experiment;
    const targets = targetsOf([one]);
    const stagesToRun = (await missingNodes(plan.graph, targets, { store })).length;
    const recorded = await recordedTargets(resultFolder(root, { profile, id }));
    const result = recorded === undefined
      ? stagesToRun === 0 ? "stored" : "missing"
      : sameKeys(recorded, targets)
      ? "fresh"
      : "stale";
    return { id, title, paper, result, stages: targets.length, stagesToRun };
  }));
}

interface StatusFlags {
  readonly profile: string;
  readonly json: boolean;
}

const flags = {
  profile: planFlags.profile,
  json: { kind: "boolean", brief: "Print JSON", default: false },
} as const;

/** Writes a line for each experiment, or all of them as JSON. */
async function writeRows(
  context: CliContext,
  { profile, json }: StatusFlags,
  restOf: (row: Status) => string,
): Promise<void> {
  const rows = await statusOfAll(context, profile);
  const width = Math.max(...rows.map(({ id }) => id.length));
  context.process.stdout.write(
    json
      ? `${JSON.stringify(rows, null, 2)}\n`
      : rows.map((row) => `${row.id.padEnd(width)} ${restOf(row)}\n`).join(""),
  );
}

/** `status`: which results are there and whether they fit the configs. */
export const statusCommand = buildCommand<StatusFlags, [], CliContext>({
  docs: {
    brief: "Say which results are missing, stored, stale or fresh",
    fullDescription: [
      "fresh: made by the plan as it is now; stale: by another; stored: not written, but all that it",
      "is made of is computed; missing: neither.",
      "",
      "Examples:",
      "  deno task status",
      "  deno task status --profile paper",
    ].join("\n"),
  },
  parameters: { flags },
  func: async function ({ profile, json }) {
    await writeRows(
      this,
      { profile, json },
      ({ result, reason, stagesToRun }) =>
        `${result.padEnd(11)} ${reason ?? `${stagesToRun} stages to run`}`,
    );
    if (json) return;
    for (const line of await describeJobs(this.storeRoot)) this.process.stdout.write(`${line}\n`);
  },
});

/** `list`: the experiments that can be reproduced. */
export const listCommand = buildCommand<StatusFlags, [], CliContext>({
  docs: {
    brief: "List the tables and figures that can be reproduced, and which have a fresh result",
    fullDescription: "Examples:\n  deno task list\n  deno task list --json",
  },
  parameters: { flags },
  func: async function ({ profile, json }) {
    await writeRows(
      this,
      { profile, json },
      ({ title, paper, result }) => `${(paper ?? "").padEnd(10)} ${result.padEnd(11)} ${title}`,
    );
  },
});
