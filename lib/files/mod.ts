/** Atomic writes, hashes, folder walks, archives that nobody vouches for, bounded parallelism. */
export * from "./atomic_file.ts";
export * from "./byte_source.ts";
export * from "./hash.ts";
export * from "./map_bounded.ts";
export * from "./quote.ts";
export * from "./read_text.ts";
export * from "./tar.ts";
export * from "./tar_writer.ts";
export * from "./temporary.ts";
export * from "./user_error.ts";
export * from "./walk.ts";
export * from "./zip.ts";
