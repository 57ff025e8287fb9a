/** Content-addressed artifacts, published atomically and verified when read. */
export * from "./content_key.ts";
export * from "./directory.ts";
export * from "./store.ts";
