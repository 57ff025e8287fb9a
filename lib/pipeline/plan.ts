import { join } from "node:path";
import { openEngine } from "../cav/mod.ts";
import { loadConfig, oneOf, type Profile, profileSchema } from "../config/mod.ts";
import { type Experiment, experimentSchema, type Show } from "../experiment/mod.ts";
import { readFolder, UserError } from "../files/mod.ts";
import { DeviceUnavailableError, requireDevice } from "../onnx/mod.ts";
import type { SourceState } from "../sources/mod.ts";
import type { Digests } from "../store/mod.ts";
import { createGraph, type Graph } from "./graph.ts";
import { missingSources } from "./missing_sources.ts";
import { planModels } from "./plan_models.ts";
import { planExperiment, type PlannedExperiment } from "./plan_experiment.ts";
import type { PlannedEngine, PlanRequest } from "./plan_request.ts";
import { UnavailableError } from "./unavailable_error.ts";

/** The stages of some experiments; equal stages are shared. */
export interface Plan {
  readonly request: PlanRequest;
  readonly profile: Profile;
  readonly engine: PlannedEngine;
  readonly graph: Graph;
  readonly experiments: readonly PlannedExperiment[];
  /** What must be brought before the plan can run. */
  readonly missing: readonly SourceState[];
}

/** What laying out a plan takes besides the request. */
export interface PlanOptions {
  readonly digests: Digests;
  /**
   * Told of an experiment that cannot be laid out, which is then left out: an
   * {@linkcode UnavailableError} where the profile lacks something, else a mistake in its configs.
   */
  readonly onUnavailable?: (id: string, mistake: UserError) => void;
}

/**
 * Reads the configs and lays out the stages. Files that a stage reads are hashed, nothing is
 * computed.
 *
 * @throws {UserError} for an unknown name or a wrong field, unless `onUnavailable` is told.
 */
export async function buildPlan(
  request: PlanRequest,
  { digests, onUnavailable }: PlanOptions,
): Promise<Plan> {
  const { root } = request;
  const profile = await loadProfile(root, request.profile);
  const engine = await describeEngine(request);
  const graph = createGraph();
  const models = planModels({ root, profile, digests });
  const laidOut = {
    located: new Map(),
    data: new Map(),
    classes: new Map(),
    rows: new Map(),
    prompts: new Map(),
  };
  const experiments: PlannedExperiment[] = [];
  for (const id of request.experiments) {
    try {
      const experiment = override(inProfile(await loadExperiment(root, id), profile), request);
      const context = { request, profile, engine, models, digests, graph, laidOut };
      experiments.push(await planExperiment(experiment, context));
    } catch (error) {
      if (!(error instanceof UserError) || onUnavailable === undefined) throw error;
      onUnavailable(id, error);
    }
  }
  await digests.save();
  const missing = await missingSources(experiments, { root, profile, graph: graph.nodes });
  return { request, profile, engine, graph: graph.nodes, experiments, missing };
}

/**
 * An experiment with the backbones that a profile offers, without the cells and measures that it
 * excludes, and with the concepts that stand for those that the experiment names.
 *
 * @throws {UnavailableError} when no backbone or no measure is left.
 */
function inProfile(experiment: Experiment, profile: Profile): Experiment {
  const { name, concepts, backbones: { names }, exclude, showPaper } = profile;
  if (experiment.profile !== undefined && experiment.profile !== name) {
    throw new UnavailableError(
      `Experiment ${experiment.id} is of the profile ${experiment.profile}, not of ${name}. Take that ` +
        `profile.`,
    );
  }
  const own = levelsOf(experiment, "backbone");
  const offered = own.filter((level) => names?.includes(`${level}`));
  if (names !== undefined && offered.length === 0) {
    throw new UnavailableError(
      `The profile ${name} offers the backbones ${names.join(", ")}, and experiment ` +
        `${experiment.id} asks for none of them. Take another profile.`,
    );
  }
  const measures = experiment.measures.filter((measure) =>
    !exclude.some((rule) => isOfMeasures(rule) && rule["measure"]!.includes(measure))
  );
  if (measures.length === 0) {
    throw new UnavailableError(
      `The profile ${name} has nothing by which to measure ${
        experiment.measures.join(" or ")
      }, all ` +
        `that experiment ${experiment.id} asks for. Take another profile.`,
    );
  }
  return {
    ...experiment,
    measures,
    ...(names && { factors: { ...experiment.factors, backbone: offered } }),
    exclude: [...experiment.exclude, ...exclude, ...(showPaper ? [] : experiment.quoted)],
    ...(experiment.concepts && {
      concepts: experiment.concepts.map((concept) => concepts[concept] ?? concept),
    }),
  };
}

/** Whether a rule of a profile leaves out measures, of whatever cell. */
function isOfMeasures(rule: Profile["exclude"][number]): boolean {
  return Object.keys(rule).join() === "measure";
}

/**
 * What trains CAVs, tried on its device.
 *
 * @throws {UserError} when the device is not there.
 */
export async function describeEngine(
  { engine: name, device }: Pick<PlanRequest, "engine" | "device">,
): Promise<PlannedEngine> {
  await requireDevice(device).catch((cause) => {
    if (cause instanceof DeviceUnavailableError) throw new UserError(cause.message, { cause });
    throw cause;
  });
  const engine = await openEngine(name, { device });
  await engine.close();
  return { name, device, description: engine.description };
}

/** Reads one profile by name. */
export async function loadProfile(root: string, name: string): Promise<Profile> {
  const folder = join(root, "configs", "profiles");
  oneOf("profile", name, configNames(folder));
  return await loadConfig(join(folder, `${name}.json`), profileSchema);
}

/**
 * Reads one experiment by id.
 *
 * @throws {UserError} for an unknown id or a wrong field.
 */
export async function loadExperiment(root: string, id: string): Promise<Experiment> {
  oneOf("experiment", id, experimentIds(root));
  const experiment = await loadConfig(join(root, "experiments", `${id}.json`), experimentSchema);
  if (experiment.id === id) return experiment;
  throw new UserError(
    `experiments/${id}.json has the id "${experiment.id}". An experiment's id is its file's name.`,
  );
}

/** The ids of all experiments: tables, figures, then others; by number, then by name. */
export function experimentIds(root: string): string[] {
  const rank = (id: string) => id.startsWith("table") ? 0 : id.startsWith("figure") ? 1 : 2;
  const numberOf = (id: string) => Number(/\d+/.exec(id)?.[0] ?? 0);
  return configNames(join(root, "experiments")).sort((a, b) =>
    rank(a) - rank(b) || numberOf(a) - numberOf(b) || (a < b ? -1 : 1)
  );
}

/**
 * The experiments that words name: ids, `all`, or patterns with `*` for any letters.
 *
 * @throws {UserError} when a word names none.
 */
export function chooseExperiments(words: readonly string[], root: string): string[] {
  const ids = experimentIds(root);
  const chosen = words.flatMap((word) => {
    if (word === "all") return ids;
    if (!word.includes("*")) return [oneOf("experiment", word, ids)];
    const pattern = new RegExp(
      `^${word.split("*").map((part) => part.replaceAll(/[^\w]/g, "\\$&")).join(".*")}$`,
    );
    const found = ids.filter((id) => pattern.test(id));
    if (found.length > 0) return found;
    throw new UserError(`No experiment is named like "${word}". Known: ${ids.join(", ")}.`);
  });
  return [...new Set(chosen)];
}

/** The names of the JSON files of a folder, sorted. */
function configNames(folder: string): string[] {
  return readFolder(folder).flatMap(({ name }) =>
    name.endsWith(".json") ? [name.slice(0, -".json".length)] : []
  );
}

/**
 * What the user chose on the command line: any backbone that has a config, and methods of the
 * experiment.
 */
function override(experiment: Experiment, request: PlanRequest): Experiment {
  const { root, backbones, methods, seeds } = request;
  const known = configNames(join(root, "configs", "backbones"));
  backbones?.forEach((name) => oneOf("backbone", name, known));
  const own = levelsOf(experiment, "method");
  const chosen = own.filter((name) => methods?.includes(`${name}`));
  methods?.forEach((name) => {
    if (request.experiments.length === 1) oneOf("method", name, own.map(String));
  });
  if (methods !== undefined && chosen.length === 0) {
    throw new UserError(
      `Experiment ${experiment.id} has none of the methods ${methods.join(", ")}. It has ${
        own.join(", ")
      }.`,
    );
  }
  const why = "Chosen on the command line.";
  return {
    ...experiment,
    ...(methods && { show: withoutControl(experiment.show, methods) }),
    factors: {
      ...experiment.factors,
      ...(backbones && { backbone: [...new Set(backbones)] }),
      ...(methods && { method: chosen }),
      ...(seeds && { seed: { value: [...new Set(seeds)], source: "assumed", why } }),
    },
  };
}

/** What is shown when the method that others are compared with is not among the chosen ones. */
function withoutControl(show: Show, methods: readonly string[]): Show {
  if (!("against" in show) || show.compare !== "method") return show;
  if (methods.includes(`${show.against}`)) return show;
  const { against: _, ...rest } = show;
  return rest;
}

function levelsOf({ factors }: Experiment, name: string) {
  const levels = factors[name] ?? [];
  return "value" in levels ? levels.value : levels;
}
