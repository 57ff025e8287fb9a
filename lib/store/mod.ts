/** Content-addressed artifacts, published atomically and verified when read; digests of files. */
export * from "./content_key.ts";
export * from "./digests.ts";
export * from "./directory.ts";
export * from "./store.ts";
