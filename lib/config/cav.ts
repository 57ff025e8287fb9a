import { z } from "zod";
import { sourced } from "./sourced.ts";

/** How CAVs of a user's own model and words are made and judged; configs/cav.json. */
export const cavConfigSchema = z.strictObject({
  /** The file of the prompts. */
  prompts: z.string(),
  seeds: sourced(z.array(z.int().min(0)).min(1).readonly()),
  /** Positives, and as many negatives, of a word that has a folder of images. */
  shots: sourced(z.int().positive().max(1e6)),
  /** Images on which language guides a vector; all that there are where they are fewer. */
  probes: z.strictObject({
    count: sourced(z.int().min(2).max(1e7)),
    choice: sourced(z.enum(["extreme", "random"])),
  }).readonly(),
  /** The share of the images that no vector sees, for comparing it with the VL model. */
  heldOut: sourced(z.number().min(0.01).max(0.9)),
  /** What a concept must reach not to be marked. */
  gates: z.strictObject({
    /** Correlation with the VL model on images that were held out. */
    leastFit: sourced(z.number().min(-1).max(1)),
    /** Mean angle between the vectors of two seeds, in degrees. */
    largestAngle: sourced(z.number().min(0).max(180)),
    /** Deviation of the VL model's activations, as a share of the words' median. */
    leastSpread: sourced(z.number().min(0).max(1)),
  }).readonly(),
  /** Images of each end that are kept with a concept. */
  evidence: sourced(z.int().min(0).max(64)),
}).readonly();

/** See {@linkcode cavConfigSchema}. */
export type CavConfig = z.output<typeof cavConfigSchema>;
