import { join } from "node:path";
import type { ConceptMetric, Experiment } from "../config/mod.ts";
import {
  type ConceptExperiment,
  describeResult,
  materialise,
  type Plan,
  type ReadableImages,
  type StageContext,
} from "../pipeline/mod.ts";
import {
  paperTable,
  resultFiles,
  type ResultTable,
  type Run,
  type TableSpec,
} from "../report/mod.ts";
import { writeFileAtomically } from "../files/mod.ts";
import { canonicalJson } from "../store/mod.ts";

const units: Readonly<Record<ConceptMetric, string>> = {
  concept_accuracy: "%",
  concept_to_class_accuracy: "cosine x100",
  tcav_score: "%",
};

/** The folder of a result. */
export function resultFolder(
  root: string,
  { profile, id }: { profile: string; id: string },
): string {
  return join(root, "results", profile, id);
}

/** When a run began and how long it and each of its stages took. */
export interface RunTimes {
  readonly started: Date;
  readonly seconds: number;
  readonly stageSeconds: ReadonlyMap<string, number>;
}

/** A result that was written. */
export interface WrittenResult {
  readonly table: ResultTable;
  /** Images that were left out, by dataset. */
  readonly unreadable: Readonly<Record<string, ReadableImages["unreadable"]>>;
}

/** Folds the stored measurements of an experiment into its result folder; the manifest comes last. */
export async function writeResults(
  plan: Plan,
  planned: ConceptExperiment,
  { context, times }: {
    readonly context: Omit<StageContext, "valueOf">;
    readonly times: RunTimes;
  },
): Promise<WrittenResult> {
  const { root } = plan.spec;
  const { experiment } = planned;
  const runs = await runsOf(planned, context);
  const spec = await tableSpec(plan, experiment, planned.configs);
  const { table, files } = resultFiles(runs, spec, statisticsOf(experiment));
  const folder = resultFolder(root, { profile: plan.profile.name, id: experiment.id });
  for (const [name, bytes] of files) await writeFileAtomically(join(folder, name), bytes);
  const unreadable: Record<string, ReadableImages["unreadable"]> = {};
  for (const [dataset, stage] of Object.entries(planned.readable)) {
    unreadable[dataset] = (await materialise(stage, context)).unreadable;
  }
  const manifest = await describeResult(plan, { planned, unreadable, files, ...times });
  const text = JSON.stringify(JSON.parse(canonicalJson(manifest)), null, 2) + "\n";
  await writeFileAtomically(join(folder, "manifest.json"), new TextEncoder().encode(text));
  return { table, unreadable };
}

async function runsOf(
  { experiment, measurements }: ConceptExperiment,
  context: Omit<StageContext, "valueOf">,
): Promise<Run[]> {
  const runs: Run[] = [];
  for (const [backbone, stage] of measurements) {
    for (const measurement of await materialise(stage, context)) {
      if (measurement.metric !== experiment.metric) continue;
      if (!experiment.rows.includes(measurement.method)) continue;
      runs.push({ dataset: experiment.dataset, backbone, ...measurement, status: "measured" });
    }
  }
  return runs;
}

async function tableSpec(
  { spec: { root }, profile }: Plan,
  experiment: Experiment,
  configs: ConceptExperiment["configs"],
): Promise<TableSpec> {
  const titleOf = (method: string) => {
    const config = configs[`configs/methods/${method}.json`] as { readonly title: string };
    return config.title;
  };
  const paper = profile.scale === "real"
    ? paperTable(
      JSON.parse(await Deno.readTextFile(join(root, "configs", "paper", "tables.json"))),
      experiment.id,
    )
    : null;
  return {
    id: experiment.id,
    title: experiment.title,
    profile: profile.name,
    dataset: experiment.dataset,
    metric: experiment.metric,
    unit: units[experiment.metric],
    columns: experiment.backbones.map((backbone) => ({ backbone, title: backbone })),
    rows: experiment.rows.map((method) => ({ method, title: titleOf(method) })),
    paper,
  };
}

function statisticsOf({ statistics }: Experiment) {
  return {
    confidence: statistics.confidence.value,
    bootstrapResamples: statistics.bootstrapResamples.value,
    permutations: statistics.permutations.value,
    seed: statistics.seed.value,
  };
}
