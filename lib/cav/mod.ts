/** Concept activation vectors: one file per method, one engine that trains them. */
export type {
  CavProblem,
  CavSet,
  ConceptProblem,
  ConceptVectors,
  TrainingContext,
} from "./concept_problem.ts";
export * from "./concept_ensemble.ts";
export type { CavEngine } from "./engine.ts";
export * from "./open_engine.ts";
export * from "./text_activations.ts";
export * from "./train_cavs.ts";
