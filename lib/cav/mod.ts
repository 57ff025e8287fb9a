/** Concept activation vectors: one file per method, one engine that trains them. */
export type { CavProblem, ConceptProblem, TrainingContext } from "./concept_problem.ts";
export * from "./bundle/mod.ts";
export * from "./concept_ensemble.ts";
export * from "./cost.ts";
export { effectiveSampleSize, type Reweighting } from "./deviation_sample_reweighting.ts";
export type { CavEngine } from "./engine.ts";
export { momentsOf } from "./gaussian_alignment.ts";
export * from "./open_engine.ts";
export * from "./probe_activations.ts";
export { probeWeights, reweightingOf } from "./probe_weights.ts";
export * from "./start_direction.ts";
export * from "./text_activations.ts";
export * from "./train_cavs.ts";
