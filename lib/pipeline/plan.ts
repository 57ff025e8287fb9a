import { join } from "node:path";
import { openEngine } from "../cav/mod.ts";
import {
  type Experiment,
  experimentSchema,
  loadConfig,
  oneOf,
  type Profile,
  profileSchema,
} from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import type { SourceState } from "../sources/mod.ts";
import { type ConceptExperiment, planConceptExperiment } from "./concept_experiment.ts";
import { missingSources } from "./missing_sources.ts";
import { planModels } from "./models.ts";
import type { PlannedEngine, PlanSpec } from "./plan_spec.ts";
import type { Stage } from "./stage.ts";

/** The stages of some experiments; equal stages are shared. */
export interface Plan {
  readonly spec: PlanSpec;
  readonly profile: Profile;
  readonly engine: PlannedEngine;
  readonly experiments: readonly ConceptExperiment[];
  /** The stages whose values the tables are folded from. */
  readonly targets: readonly Stage<unknown>[];
  /** What must be brought before the plan can run. */
  readonly missing: readonly SourceState[];
}

/**
 * Reads the configs and lays out the stages. Files that a stage reads are hashed, nothing is
 * computed.
 *
 * @throws {UserError} for an unknown name or a wrong field.
 */
export async function buildPlan(spec: PlanSpec): Promise<Plan> {
  const profile = await loadProfile(spec.root, spec.profile);
  const ids = await experimentIds(spec.root);
  const backbones = await configNames(join(spec.root, "configs", "backbones"));
  const engine = await describeEngine(spec);
  const models = planModels(spec, profile);
  const experiments: ConceptExperiment[] = [];
  const missing = new Map<string, SourceState>();
  for (const id of spec.experiments) {
    oneOf("experiment", id, ids);
    const experiment = override(await loadExperiment(spec.root, id), { spec, backbones });
    experiments.push(await planConceptExperiment(experiment, { spec, profile, engine, models }));
    for (const state of await missingSources(experiment, { root: spec.root, profile })) {
      missing.set(state.source.name, state);
    }
  }
  const targets = experiments.flatMap(({ measurements }) => [...measurements.values()]);
  return { spec, profile, engine, experiments, targets, missing: [...missing.values()] };
}

async function describeEngine({ engine: name, device }: PlanSpec): Promise<PlannedEngine> {
  const engine = await openEngine(name, { device });
  await engine.close();
  return { name, device, description: engine.description };
}

/** Reads one profile by name. */
export async function loadProfile(root: string, name: string): Promise<Profile> {
  const folder = join(root, "configs", "profiles");
  oneOf("profile", name, await configNames(folder));
  return await loadConfig(join(folder, `${name}.json`), profileSchema);
}

/** Reads one experiment by id. */
export async function loadExperiment(root: string, id: string): Promise<Experiment> {
  return await loadConfig(join(root, "experiments", `${id}.json`), experimentSchema);
}

/** The ids of all experiments, tables before figures, by number. */
export async function experimentIds(root: string): Promise<string[]> {
  const numberOf = (id: string) => Number(/\d+/.exec(id)?.[0]);
  return (await configNames(join(root, "experiments")))
    .sort((a, b) => b[0]!.localeCompare(a[0]!) || numberOf(a) - numberOf(b));
}

/** The names of the JSON files of a folder, sorted. */
export async function configNames(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".json")) names.push(name.slice(0, -".json".length));
  }
  return names.sort();
}

/**
 * What the user chose on the command line: any backbone that has a config, and methods of the
 * experiment.
 */
function override(
  experiment: Experiment,
  { spec, backbones }: { readonly spec: PlanSpec; readonly backbones: readonly string[] },
): Experiment {
  const { backbones: columns, methods, seeds } = spec;
  columns?.forEach((name) => oneOf("backbone", name, backbones));
  methods?.forEach((name) => oneOf("method", name, experiment.methods));
  if (methods !== undefined && !experiment.rows.some((row) => methods.includes(row))) {
    throw new UserError(
      `Experiment ${experiment.id} shows none of the methods ${methods.join(", ")}. It shows ${
        experiment.rows.join(", ")
      }.`,
    );
  }
  return {
    ...experiment,
    backbones: columns ?? experiment.backbones,
    methods: experiment.methods.filter((name) => methods?.includes(name) ?? true),
    rows: experiment.rows.filter((name) => methods?.includes(name) ?? true),
    seeds: seeds === undefined
      ? experiment.seeds
      : { value: seeds, source: "assumed", why: "Chosen on the command line." },
  };
}
