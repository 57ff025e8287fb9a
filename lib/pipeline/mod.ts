/** Plans of stages, their execution, and the manifest that traces a result. */
export * from "./graph.ts";
export * from "./manifest.ts";
export { sourcesRead } from "./missing_sources.ts";
export { productsPerSecond } from "./_measure_speeds.ts";
export * from "./plan.ts";
export { type PlannedCell, type PlannedExperiment, targetsOf } from "./plan_experiment.ts";
export * from "./plan_file.ts";
export * from "./plan_request.ts";
export * from "./preflight.ts";
export * from "./publish_result.ts";
export * from "./run_plan.ts";
export * from "./slurm.ts";
export * from "./split_plan.ts";
export * from "./stage.ts";
export type { Measurement, ReadableImages } from "./stages/mod.ts";
export * from "./unavailable_error.ts";
