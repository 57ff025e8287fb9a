import { buildCommand } from "@stricli/core";
import { UserError } from "../files/mod.ts";
import {
  allStages,
  buildPlan,
  type Estimate,
  missingStages,
  type Plan,
  runPlan,
} from "../pipeline/mod.ts";
import { tableMarkdown } from "../report/mod.ts";
import { openStore, type Store } from "../store/mod.ts";
import type { CliContext } from "./context.ts";
import { type PlanFlags, planFlags, planSpecOf } from "./plan_flags.ts";
import { corruptLine, showProgress } from "./progress.ts";
import { resultFolder, writeResults } from "./results.ts";

interface ReproduceFlags extends PlanFlags {
  readonly jobs: number;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** No write takes that long; what is older was left by a process that was killed. */
const aDay = { milliseconds: 24 * 60 * 60 * 1000 };
const cores = navigator.hardwareConcurrency;

/** `reproduce ID...`: computes what is missing and writes the results. */
export const reproduceCommand = buildCommand<ReproduceFlags, string[], CliContext>({
  docs: {
    brief: "Compute tables of the paper and write them to results/",
    fullDescription: [
      "Computes whatever the tables need and is not in the store yet, then writes",
      "results/<profile>/<id>/. Ctrl-C stops; the next run goes on from there.",
      "",
      "Examples:",
      "  deno task reproduce table2",
      "  deno task reproduce table1 table2 table8 --backbones resnet18,vgg13",
      "  deno task reproduce table2 --seeds 0 --methods original_cav,lg_cav+ga",
      "  deno task reproduce table1 --profile paper --dry-run",
    ].join("\n"),
  },
  parameters: {
    positional: {
      kind: "array",
      parameter: { brief: "Table to make", parse: (input: string) => input, placeholder: "id" },
      minimum: 1,
    },
    flags: {
      ...planFlags,
      jobs: { kind: "parsed", parse: parseJobs, brief: "Stages at once", default: String(cores) },
      dryRun: { kind: "boolean", brief: "Print the plan and stop", default: false },
      json: { kind: "boolean", brief: "Print JSON instead of tables", default: false },
    },
  },
  func: async function (flags, ...ids) {
    const started = new Date();
    const plan = await buildPlan(planSpecOf(flags, { root: this.root, experiments: ids }));
    if (flags.dryRun) return await printPlan(this, plan, flags.json);
    if (plan.missing.length > 0) throw new UserError(missingSentence(plan));
    await reproduce(this, plan, { flags, started });
  },
});

function parseJobs(input: string): number {
  const jobs = Number(input);
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > 256) {
    throw new UserError(`--jobs takes a whole number from 1 to 256, not "${input}".`);
  }
  return jobs;
}

function missingSentence({ profile, missing }: Plan): string {
  const lines = missing.map(({ source: { name, megabytes }, where }) =>
    `\n  ${name} (${megabytes} MB): ${where}`
  );
  return `The profile "${profile.name}" needs files that are not here:${lines.join("")}`;
}

async function reproduce(
  { process: { stdout, stderr }, root, storeRoot, interrupt }: CliContext,
  plan: Plan,
  { flags, started }: { readonly flags: ReproduceFlags; readonly started: Date },
): Promise<void> {
  const store = openStore(storeRoot, { onCorrupt: (path) => stderr.write(corruptLine(path)) });
  await store.removeUnfinished(aDay);
  stderr.write(`CAVs are trained by ${plan.engine.description}.\n`);
  const stageSeconds = await runMissing(plan, { store, stderr, flags, interrupt });
  const context = {
    store,
    device: flags.device,
    threads: cores,
    signal: interrupt,
    onProgress: () => {},
  };
  for (const planned of plan.experiments) {
    const seconds = (Date.now() - started.getTime()) / 1000;
    const times = { started, seconds, stageSeconds };
    const { table, unreadable } = await writeResults(plan, planned, { context, times });
    for (const [dataset, images] of Object.entries(unreadable)) {
      if (images.length === 0) continue;
      const names = images.map(({ id }) => id).join(", ");
      stderr.write(
        `Left out ${images.length} images of ${dataset} that cannot be read: ${names}\n`,
      );
    }
    stdout.write(flags.json ? `${JSON.stringify(table)}\n` : `${tableMarkdown(table)}\n`);
    const folder = resultFolder(root, { profile: plan.profile.name, id: table.id });
    stderr.write(`Wrote ${folder}\n`);
  }
}

async function runMissing(
  plan: Plan,
  { store, stderr, flags, interrupt }: {
    readonly store: Store;
    readonly stderr: CliContext["process"]["stderr"];
    readonly flags: ReproduceFlags;
    readonly interrupt: AbortSignal;
  },
): Promise<ReadonlyMap<string, number>> {
  const { spec, targets } = plan;
  const stages = (await missingStages(targets, { store })).length;
  const progress = showProgress(stderr, { stages, now: () => Date.now() });
  try {
    return await runPlan({
      spec,
      targets,
      store,
      jobs: flags.jobs,
      signal: interrupt,
      events: progress,
    });
  } finally {
    progress.stop();
  }
}

async function printPlan(context: CliContext, plan: Plan, json: boolean): Promise<void> {
  const { stdout } = context.process;
  const store = openStore(context.storeRoot);
  const rows = [];
  for (const { id, ref, work, estimate, isStored } of allStages(plan.targets)) {
    rows.push({ id, key: ref.key, work, estimate, stored: await isStored(store) });
  }
  if (json) return stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  const width = Math.max(...rows.map(({ id }) => id.length));
  for (const { id, stored, work, estimate } of rows) {
    const amount = estimate === undefined ? "" : `: ${inWords(estimate)}`;
    stdout.write(`${stored ? "stored " : "to run "} ${id.padEnd(width)}  ${work}${amount}\n`);
  }
  const missing = new Set((await missingStages(plan.targets, { store })).map(({ id }) => id));
  const ahead = rows.flatMap(({ id, estimate }) => missing.has(id) && estimate ? [estimate] : []);
  const total = ahead.length === 0 ? "" : ` In them at most ${inWords(sumOf(ahead))}.`;
  stdout.write(`${rows.length} stages, ${missing.size} to run.${total} Nothing was computed.\n`);
  if (plan.missing.length > 0) stdout.write(`${missingSentence(plan)}\n`);
}

function sumOf(estimates: readonly Estimate[]): Estimate {
  return estimates.reduce((sum, { images, multiplyAdds, bytes }) => ({
    images: sum.images + images,
    multiplyAdds: sum.multiplyAdds + multiplyAdds,
    bytes: sum.bytes + bytes,
  }));
}

/** A multiply-add is two floating-point operations. */
function inWords({ images, multiplyAdds, bytes }: Estimate): string {
  const operations = 2 * multiplyAdds / 1e12;
  const digits = operations < 10 ? 2 : 0;
  return `${images} images, ${operations.toFixed(digits)} TFLOP, ${
    (bytes / 1e6).toFixed(1)
  } MB of features`;
}
