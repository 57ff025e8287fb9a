/** How CAVs and corrected models are measured, and how sure one may be of a mean. */
export * from "./area_under_roc.ts";
export * from "./average_precision.ts";
export * from "./benjamini_hochberg.ts";
export * from "./bootstrap_interval.ts";
export * from "./concept_accuracy.ts";
export * from "./concept_overlap.ts";
export * from "./concept_to_class_accuracy.ts";
export * from "./empirical_p_value.ts";
export * from "./mean.ts";
export * from "./measures.ts";
export * from "./paired_permutation_test.ts";
export * from "./recall_at_k.ts";
export * from "./significance.ts";
export * from "./stability.ts";
export * from "./tcav_score.ts";
export * from "./top1_accuracy.ts";
