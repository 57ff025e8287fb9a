import { buildCommand } from "@stricli/core";
import { join, relative } from "node:path";
import { requireWritable, UserError } from "../files/mod.ts";
import {
  buildPlan,
  chooseExperiments,
  MissingNeed,
  type Plan,
  unreadable,
} from "../pipeline/mod.ts";
import { terminalTable } from "../report/mod.ts";
import { openDigests, openStore, type Store } from "../store/mod.ts";
import type { CliContext } from "./context.ts";
import { type PlanFlags, planFlags, planRequestOf } from "./plan_flags.ts";
import { missingSentence, printPlan, wanted } from "./print_plan.ts";
import { corruptLine } from "./progress.ts";
import { runStages, type RunStagesOptions } from "./run_stages.ts";
import { resultSpecs, writeResults, type WrittenResult } from "./write_results.ts";

interface ReproduceFlags extends PlanFlags {
  readonly jobs: number;
  readonly rehash: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** No write takes that long; what is older was left by a process that was killed. */
const aDay = { milliseconds: 24 * 60 * 60 * 1000 };
const cores = navigator.hardwareConcurrency;
/** A line of a terminal. */
const columns = 100;

/** `reproduce ID...`: computes what is missing and writes the results. */
export const reproduceCommand = buildCommand<ReproduceFlags, string[], CliContext>({
  docs: {
    brief: "Compute tables and figures of the paper and write them to results/",
    fullDescription: [
      "Computes whatever they need and is not in the store yet, then writes",
      "results/<profile>/<id>/. Ctrl-C stops; the next run goes on from there.",
      "",
      "Examples:",
      "  deno task reproduce table2",
      "  deno task reproduce all",
      "  deno task reproduce 'figure*' --seeds 0",
      "  deno task reproduce table1 table2 table8 --backbones resnet18,vgg13",
      "  deno task reproduce table2 --methods original_cav,lg_cav+ga",
      "  deno task reproduce table1 --profile paper --dry-run",
    ].join("\n"),
  },
  parameters: {
    positional: {
      kind: "array",
      parameter: {
        brief: "Table or figure to make, a pattern such as 'figure*', or all",
        parse: (input: string) => input,
        placeholder: "id",
      },
      minimum: 1,
    },
    flags: {
      ...planFlags,
      jobs: { kind: "parsed", parse: parseJobs, brief: "Stages at once", default: String(cores) },
      rehash: {
        kind: "boolean",
        brief: "Hash every file anew instead of trusting what is known of it",
        default: false,
      },
      dryRun: { kind: "boolean", brief: "Print the plan and stop", default: false },
      json: { kind: "boolean", brief: "Print JSON instead of tables", default: false },
    },
  },
  func: async function (flags, ...words) {
    const started = new Date();
    const experiments = chooseExperiments(words, this.root);
    const digests = openDigests(this.storeRoot, { rehash: flags.rehash });
    const request = planRequestOf(flags, { root: this.root, experiments });
    const plan = await buildPlan(request, { digests });
    const specs = await resultSpecs(plan);
    if (flags.dryRun) return await printPlan(this, plan, flags);
    if (plan.missing.length > 0) throw new UserError(missingSentence(plan));
    await reproduce(this, plan, { specs, flags, started });
  },
});

/** Reads how many stages run at once. */
export function parseJobs(input: string): number {
  const jobs = Number(input);
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > 256) {
    throw new UserError(`--jobs takes a whole number from 1 to 256, not "${input}".`);
  }
  return jobs;
}

async function reproduce(
  context: CliContext,
  plan: Plan,
  options: Pick<ComputeOptions, "specs" | "flags" | "started">,
): Promise<void> {
  const { process: { stdout, stderr }, storeRoot } = context;
  const store = openStore(storeRoot, { onCorrupt: (path) => stderr.write(corruptLine(path)) });
  await store.removeUnfinished(aDay);
  await requireWritable(join(context.root, "results", plan.profile.name));
  const written = await computeAndWrite(context, plan, { ...options, store });
  for (const { result } of written) {
    stdout.write(
      options.flags.json
        ? `${JSON.stringify(result)}\n`
        : `${terminalTable(result, { columns })}\n`,
    );
  }
  for (const sentence of new Set(written.flatMap(sentencesOf))) stderr.write(`${sentence}\n`);
  for (const { folder, files } of written) {
    for (const name of files) stderr.write(`Wrote ${relative(context.root, join(folder, name))}\n`);
  }
}

interface ComputeOptions {
  readonly specs: Awaited<ReturnType<typeof resultSpecs>>;
  readonly store: Store;
  readonly flags: ReproduceFlags;
  readonly started: Date;
}

/** Runs the plan and writes its results; what a result finds damaged is computed again. */
async function computeAndWrite(
  context: CliContext,
  plan: Plan,
  { specs, store, flags, started }: ComputeOptions,
): Promise<WrittenResult[]> {
  const { process: { stderr } } = context;
  const repaired = new Set<string>();
  let damaged: ReadonlySet<string> = new Set();
  while (true) {
    await runMissing(context, plan, { store, flags, damaged });
    try {
      return await writeResults(plan, {
        specs,
        store,
        started,
        onNoBrowser: (sentence) => stderr.write(`No pictures were drawn. ${sentence}\n`),
      });
    } catch (error) {
      if (!(error instanceof MissingNeed) || repaired.has(error.key)) throw error;
      // All that is damaged is computed again at once, and what was mended is left.
      const found = await unreadable(plan.graph, wanted(plan.experiments), store);
      damaged = new Set([error.key, ...found]);
      damaged.forEach((key) => repaired.add(key));
    }
  }
}

/** What a user should hear about a result, besides its numbers. */
function sentencesOf({ unreadable, tooFew, remarks }: WrittenResult): string[] {
  const images = Object.entries(unreadable).flatMap(([dataset, some]) =>
    some.length === 0 ? [] : [
      `Left out ${some.length} images of ${dataset} that cannot be read: ${
        some.map(({ id }) => id).join(", ")
      }`,
    ]
  );
  const concepts = Object.entries(tooFew).flatMap(([dataset, some]) =>
    some.length === 0 ? [] : [
      `Left out ${some.length} concepts of ${dataset}, which fewer images show alone than ` +
      `"minimumImages" asks for: ${
        some.map(({ name, images }) => `${name} (${images})`).join(", ")
      }`,
    ]
  );
  return [...images, ...concepts, ...remarks];
}

async function runMissing(
  context: CliContext,
  { graph, experiments, request: { device }, engine }: Plan,
  options: Pick<RunStagesOptions, "store" | "damaged"> & { readonly flags: ReproduceFlags },
): Promise<void> {
  const { flags: { jobs }, ...rest } = options;
  await runStages(context, { graph, device, engine }, {
    ...rest,
    targets: wanted(experiments),
    jobs,
  });
}
