/** The bundle: a folder with CAVs and all that is needed to use them. */
export * from "./bundle.ts";
export * from "./config.ts";
export * from "./place_bundle.ts";
export * from "./read_bundle.ts";
export * from "./write_bundle.ts";
