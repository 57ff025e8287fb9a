/** Content-addressed artifacts, published atomically and verified when read; digests of files. */
export * from "./archive.ts";
export * from "./collect.ts";
export * from "./content_key.ts";
export * from "./digests.ts";
export type { DirectoryRecord } from "./directory.ts";
export * from "./inventory.ts";
export * from "./shared_folder.ts";
export * from "./store.ts";
