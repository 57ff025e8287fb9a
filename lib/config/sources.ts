import { z } from "zod";

const common = {
  /** The tables and figures of the paper that need it. */
  neededBy: z.array(z.string().regex(/^(table|figure)\d+[a-z]?$/)).readonly(),
  licence: z.string(),
  /** Approximate size of the download in millions of bytes. */
  megabytes: z.number().positive().max(1e9),
};

const dataset = z.union([
  /** A dataset's place below the data folder, and how its archive is packed. */
  z.strictObject({
    ...common,
    path: z.string(),
    /** The format of the archive and the folder in it that holds the dataset. */
    unpack: z.strictObject({ format: z.enum(["zip", "tgz"]), folder: z.string() }),
  }),
  /** A part of a dataset, such as a split, which the user brings into a folder of all its parts. */
  z.strictObject({
    ...common,
    part: z.strictObject({
      dataset: z.string(),
      /** The split that it is; absent for what every split needs. */
      split: z.string().optional(),
      /** Its archive's name in the dataset's config. */
      archive: z.string(),
    }),
    path: z.string(),
    /** What the folder must then hold; several names for one thing are divided by " or ". */
    markers: z.array(z.string()).min(1).readonly(),
    /** How to get it; `{archive}` stands for the archive and its checksum. */
    how: z.string().includes("{archive}"),
  }),
]);

/** A model of the hub with the revision it is taken at, or how to make a folder of one. */
const model = z.union([
  z.strictObject({
    ...common,
    /** A commit of the hub; "main" is pinned to its commit when first fetched. */
    revision: z.string().regex(/^(main|[0-9a-f]{40})$/),
    files: z.array(z.string()).min(1).readonly(),
  }),
  z.strictObject({ ...common, how: z.string(), files: z.array(z.string()).min(1).readonly() }),
]);

/**
 * What `deno task data` knows of the paper's weights and data beyond the configs of backbones,
 * datasets and VL models, which hold their addresses and checksums.
 */
export const sourcesSchema = z.strictObject({
  note: z.string(),
  /** Address of the hub. */
  hub: z.url(),
  weights: z.record(z.string(), z.strictObject(common)),
  models: z.record(z.string(), model),
  datasets: z.record(z.string(), dataset),
}).readonly();

export type SourcesConfig = z.output<typeof sourcesSchema>;
