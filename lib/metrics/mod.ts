/** How CAVs and corrected models are measured, and how sure one may be of a mean. */
export * from "./average_precision.ts";
export * from "./bootstrap_interval.ts";
export * from "./concept_accuracy.ts";
export * from "./concept_to_class_accuracy.ts";
export * from "./correlation.ts";
export * from "./mean.ts";
export * from "./measures.ts";
export * from "./paired_permutation_test.ts";
export * from "./recall_at_k.ts";
export * from "./tcav_score.ts";
export * from "./top1_accuracy.ts";
