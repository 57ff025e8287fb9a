/** Getting the paper's weights and data: list, fetch, check, and pointing at copies one has. */
export * from "./check_sources.ts";
export * from "./download.ts";
export * from "./fetch_sources.ts";
export * from "./list_sources.ts";
export * from "./own_copies.ts";
export * from "./sources.ts";
export * from "./unpack.ts";
