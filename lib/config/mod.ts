/** Schemas of the config files, their loading and their normalisation. */
export * from "./backbone.ts";
export * from "./cav.ts";
export * from "./claims.ts";
export * from "./correction.ts";
export * from "./dataset.ts";
export * from "./load.ts";
export * from "./method.ts";
export * from "./nearest.ts";
export * from "./preprocess.ts";
export * from "./profile.ts";
export * from "./prompts.ts";
export * from "./sourced.ts";
export * from "./sources.ts";
export * from "./vl.ts";
export * from "./world.ts";
