/** Words and labelled images: which images show a concept, negatives, shots, probes, classes. */
export * from "./few_shot.ts";
export * from "./label_noise.ts";
export * from "./negatives.ts";
export * from "./other_meanings.ts";
export * from "./probe_candidates.ts";
export * from "./probe_selection.ts";
export * from "./random_words.ts";
export * from "./related_pairs.ts";
export * from "./single_concept.ts";
export * from "./words.ts";
