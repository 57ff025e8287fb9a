import type { z } from "zod";
import { type Method, type Profile, promptsSchema } from "../config/mod.ts";
import type { FeatureRows } from "../activations/mod.ts";
import type { Cell, Experiment } from "../experiment/mod.ts";
import type { Digests } from "../store/mod.ts";
import type { GraphBuilder } from "./graph.ts";
import type { AnyMethod, AnyMethodConfig } from "./_methods.ts";
import type { PlannedClasses } from "./plan_classes.ts";
import type { PlannedConcepts, PlannedData } from "./plan_data.ts";
import type { DataOptions, Located } from "./plan_images.ts";
import type { PlannedModels, PlannedTarget } from "./plan_models.ts";
import type { PlannedEngine, PlanRequest } from "./plan_request.ts";
import type { Stage } from "./stage.ts";

/** What every cell of a plan shares. */
export interface PlanContext {
  readonly request: PlanRequest;
  readonly profile: Profile;
  readonly engine: PlannedEngine;
  readonly models: PlannedModels;
  readonly digests: Digests;
  readonly graph: GraphBuilder;
  /** What was laid out before, for the experiments that follow. */
  readonly laidOut: LaidOut;
}

type Configs = DataOptions["configs"];

/** What experiments of a plan share, each by what names it. */
export interface LaidOut {
  /** Datasets with their places, and the configs that laying them out reads, by file. */
  readonly located: Map<string, { readonly dataset: Located; readonly configs: Configs }>;
  readonly data: Map<string, PlannedConcepts>;
  readonly classes: Map<string, PlannedClasses>;
  readonly rows: Map<string, Readonly<Record<string, Stage<FeatureRows>>>>;
  readonly prompts: Map<string, z.output<typeof promptsSchema>>;
}

/** What was read while an experiment is laid out, each thing once. */
export interface Known extends PlanContext {
  readonly experiment: Experiment;
  readonly configs: Record<string, unknown>;
  readonly data: Map<string, PlannedConcepts>;
  readonly classes: Map<string, PlannedClasses>;
  readonly methods: Map<string, AnyMethodConfig>;
  readonly targets: Map<string, PlannedTarget>;
  readonly vlModels: Map<string, PlannedVl>;
}

export type PlannedVl = Awaited<ReturnType<PlannedModels["vl"]>>;

/** What a cell of CAVs names, found. */
export interface CellParts {
  readonly cell: Cell;
  /** The concepts of the CAVs, and the images that they are made from. */
  readonly data: PlannedData;
  readonly target: PlannedTarget;
  readonly output: string;
  readonly vl: PlannedVl;
  readonly method: Method;
  readonly seed: number;
}

/** What a cell of a dataset of classes names, found. */
export interface ClassParts {
  readonly cell: Cell;
  readonly classes: PlannedClasses;
  readonly target: PlannedTarget;
  readonly vl: PlannedVl;
  readonly method: AnyMethod;
  readonly seed: number;
}

/** What a name stands for, made when it is first asked for. */
export async function once<T>(
  known: Map<string, T>,
  name: string,
  make: (name: string) => Promise<T>,
): Promise<T> {
  const made = known.get(name) ?? await make(name);
  known.set(name, made);
  return made;
}
