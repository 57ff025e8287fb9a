/** Features of images and texts: batched, stored as they come, resumable. */
export * from "./feature_rows.ts";
export * from "./image_features.ts";
export * from "./mismatched_rows.ts";
export * from "./perturbed_texts.ts";
export * from "./text_features.ts";
