import { buildCommand } from "@stricli/core";
import { resolve } from "node:path";
import { UserError } from "../files/mod.ts";
import {
  buildPlan,
  type Plan,
  type PlanFile,
  readPlanFile,
  requireKeys,
  runJob,
  stillMissing,
} from "../pipeline/mod.ts";
import { openDigests, openStore } from "../store/mod.ts";
import type { CliContext } from "./context.ts";
import { corruptLine, showProgress } from "./progress.ts";
import { resultSpecs, writeResults } from "./write_results.ts";

interface StageFlags {
  readonly plan: string;
  readonly array?: number;
  readonly task?: number;
  readonly report: boolean;
}

/** `stage`: computes one task of a plan that was cut for several machines. */
export const stageCommand = buildCommand<StageFlags, [], CliContext>({
  docs: {
    brief: "Compute one task of a plan, as a job of a scheduler does",
    fullDescription: [
      "`reproduce --executor slurm` writes the plan and submits this for each task; any other",
      "scheduler of arrays can. Tasks of one array need nothing of each other; an array needs those",
      "before it. --report writes the results, or says what is missing.",
      "",
      "Examples:",
      "  deno task stage --plan .cache/plans/0123456789abcdef.json --array 0 --task 3",
      "  deno task stage --plan .cache/plans/0123456789abcdef.json --report",
    ].join("\n"),
  },
  parameters: {
    flags: {
      plan: { kind: "parsed", parse: String, brief: "The plan's file", placeholder: "file" },
      array: { kind: "parsed", parse: parseIndex, brief: "Which array, from 0", optional: true },
      task: { kind: "parsed", parse: parseIndex, brief: "Which task, from 0", optional: true },
      report: {
        kind: "boolean",
        brief: "Write the results, or say what is missing",
        default: false,
      },
    },
  },
  func: async function ({ plan: path, array, task, report }) {
    const file = await readPlanFile(resolve(this.root, path));
    const plan = await buildPlan({ ...file.request, root: this.root }, {
      digests: openDigests(this.storeRoot),
    });
    if (report) return await writeOrReport(this, { plan, file });
    const jobs = file.arrays[array ?? -1]?.tasks[task ?? -1];
    if (jobs === undefined) {
      const [first] = file.arrays;
      throw new UserError(
        `The plan has ${file.arrays.length} arrays, the first of ${
          first?.tasks.length ?? 0
        } tasks. Name ` +
          `one by --array and --task, or say --report.`,
      );
    }
    const { process: { stderr }, interrupt: signal } = this;
    const store = openStore(this.storeRoot, {
      onCorrupt: (path) => stderr.write(corruptLine(path)),
    });
    const stages = jobs.reduce((sum, { keys }) => sum + keys.length, 0);
    const events = showProgress(stderr, { stages, now: () => Date.now() });
    const { graph, request: { device } } = plan;
    try {
      for (const job of jobs) {
        requireKeys(plan, job);
        await runJob(job, { graph, store, device, jobs: 1, events, signal });
      }
    } finally {
      events.stop();
    }
  },
});

async function writeOrReport(
  { storeRoot, process: { stdout, stderr } }: CliContext,
  { plan, file }: { readonly plan: Plan; readonly file: PlanFile },
): Promise<void> {
  const started = new Date();
  const store = openStore(storeRoot);
  file.arrays.flatMap(({ tasks }) => tasks.flat()).forEach((job) => requireKeys(plan, job));
  const missing = await stillMissing(plan, file, { store });
  if (missing.length > 0) {
    throw new UserError(
      `${missing.length} stages are missing: ${missing.slice(0, 10).join(", ")}${
        missing.length > 10 ? ", ..." : ""
      }. See the logs of their jobs, and submit again: what is there is kept.`,
    );
  }
  const written = await writeResults(plan, {
    specs: await resultSpecs(plan),
    store,
    started,
    onNoBrowser: (sentence) => stderr.write(`No pictures were drawn. ${sentence}\n`),
  });
  for (const { folder } of written) stdout.write(`Wrote ${folder}\n`);
}

function parseIndex(input: string): number {
  if (/^\d{1,9}$/.test(input)) return Number(input);
  throw new UserError(`Arrays and tasks are counted from 0, not "${input}".`);
}
