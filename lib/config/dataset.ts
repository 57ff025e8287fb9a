import { z } from "zod";
import { sourced } from "./sourced.ts";

/** Which Broden images count as showing one concept only; see singleConceptImages(). */
const singleConcept = z.strictObject({
  categories: sourced(z.enum(["all", "own"])),
  minimumMaskFraction: sourced(z.number().min(0).max(1)),
  minimumImages: sourced(z.int().positive().max(1e7)),
});

/** Some classes of another dataset, with the concept that the paper describes each by. */
const view = z.strictObject({
  of: z.string(),
  classes: z.array(z.strictObject({
    wnid: z.string().regex(/^n\d{8}$/),
    name: z.string(),
    description: z.string().min(1),
  })).min(1).readonly(),
});

/** A file to download or to bring. */
const archive = z.strictObject({
  file: z.string(),
  url: z.url().optional(),
  md5: z.string().regex(/^[0-9a-f]{32}$/).optional(),
});

/** The facts of a dataset as its authors publish it, and the choices that reading it leaves open. */
export const datasetSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9]+$/),
  title: z.string(),
  reference: z.string(),
  /** The reader that opens it. */
  format: z.enum(["broden", "imagenet", "cub200", "cifar100"]),
  archives: z.array(archive).readonly(),
  /** How to get and under which terms to use it. */
  access: z.string(),
  terms: z.string(),
  /** Images per split; `all` where the splits are not used. */
  images: z.record(z.string(), z.int().positive().max(1e9)),
  /** Classes, or for Broden concepts. */
  classes: z.int().positive().max(1e6),
  /** Files and folders below the dataset's folder. */
  layout: z.array(z.string()).min(1).readonly(),
  /** At an image that cannot be read: stop, or leave it out and say so. */
  unreadable: z.enum(["fail", "skip"]),
  singleConcept: singleConcept.optional(),
  view: view.optional(),
}).refine(({ format, singleConcept }) => (format === "broden") === (singleConcept !== undefined), {
  path: ["singleConcept"],
  message: "is a setting of the format broden, and that format needs it",
}).readonly();

/** See {@linkcode datasetSchema}. */
export type DatasetConfig = z.output<typeof datasetSchema>;
