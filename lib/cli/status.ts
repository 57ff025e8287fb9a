import { buildCommand } from "@stricli/core";
import { join } from "node:path";
import { buildPlan, experimentIds, missingStages } from "../pipeline/mod.ts";
import { fileHash } from "../files/mod.ts";
import { openStore } from "../store/mod.ts";
import type { CliContext } from "./context.ts";
import { planFlags } from "./plan_flags.ts";
import { resultFolder } from "./results.ts";

/** What is known of one experiment's result. */
interface Status {
  readonly id: string;
  /** `fresh`: made by the plan as it is now. `stale`: by another plan. */
  readonly result: "missing" | "stale" | "fresh";
  readonly stagesToRun: number;
}

/** `status`: which results are there and whether they fit the configs. */
export const statusCommand = buildCommand<
  { readonly profile: string; readonly json: boolean },
  [],
  CliContext
>({
  docs: {
    brief: "Say which results are missing, stale or fresh",
    fullDescription: "Examples:\n  deno task status\n  deno task status --profile paper",
  },
  parameters: {
    flags: {
      profile: planFlags.profile,
      json: { kind: "boolean", brief: "Print JSON", default: false },
    },
  },
  func: async function ({ profile, json }) {
    const rows: Status[] = [];
    for (const id of await experimentIds(this.root)) {
      rows.push(await statusOf(this, { id, profile }));
    }
    this.process.stdout.write(
      json
        ? `${JSON.stringify(rows, null, 2)}\n`
        : rows.map(({ id, result, stagesToRun }) =>
          `${id.padEnd(9)} ${result.padEnd(8)} ${stagesToRun} stages to run\n`
        ).join(""),
    );
  },
});

async function statusOf(
  { root, storeRoot }: CliContext,
  { id, profile }: { readonly id: string; readonly profile: string },
): Promise<Status> {
  const spec = { root, profile, experiments: [id], engine: "ort", device: "cpu" } as const;
  const plan = await buildPlan(spec);
  const store = openStore(storeRoot);
  const stagesToRun = (await missingStages(plan.targets, { store })).length;
  const folder = resultFolder(root, { profile, id });
  if (await fileHash(join(folder, "manifest.json")) === "missing") {
    return { id, result: "missing", stagesToRun };
  }
  const manifest = JSON.parse(await Deno.readTextFile(join(folder, "manifest.json")));
  const fresh = plan.targets.every((stage) => manifest.stages[stage.id] === stage.ref.key);
  return { id, result: fresh ? "fresh" : "stale", stagesToRun };
}
