/** Words and labelled images: which images show a concept, negatives, shots, probes, classes. */
export * from "./few_shot.ts";
export * from "./negatives.ts";
export * from "./probe_selection.ts";
export * from "./related_pairs.ts";
export * from "./single_concept.ts";
export * from "./words.ts";
