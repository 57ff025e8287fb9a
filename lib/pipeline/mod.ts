/** Plans of stages, their execution, and the manifest that traces a result. */
export * from "./concept_experiment.ts";
export * from "./manifest.ts";
export * from "./materialise.ts";
export * from "./plan.ts";
export * from "./plan_spec.ts";
export * from "./readable_stage.ts";
export * from "./run_plan.ts";
export * from "./stage.ts";
