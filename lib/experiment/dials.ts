import { z } from "zod";
import { type Plain, sourced } from "../config/mod.ts";

const share = sourced(z.number().min(0).max(1));

/**
 * The dials of the world: what a real VL model, probe pool or concept dataset may have and the
 * default has not, each off at 0, `all`, and when left out. Sweep one by its path, such as `dials.polysemy`.
 * Those that only a rendered world can have say so.
 */
export const dialsSchema = z.strictObject({
  /**
   * How far prompts of one concept lie apart: 1 minus their mean cosine, where 1 is as far as the
   * features of two concepts.
   */
  promptDispersion: sourced(z.number().min(0).max(2)).optional(),
  /**
   * The exponent of the law by which prompts are seen in captions: the one of rank r has r ** exponent
   * times the variance of the first, "a photo of the {}". 0: all are seen alike.
   */
  promptZipf: sourced(z.number().min(0).max(3)).optional(),
  /** The share of that variance by which a prompt moves all concepts alike: its style. */
  promptStyle: share.optional(),
  /** The weight of another concept's text feature in that of a concept: one word for two things. */
  polysemy: share.optional(),
  /**
   * The share of their mean that is taken off the VL features of texts, and of images: cosines of a
   * narrow cone become wide.
   */
  centring: share.optional(),
  /** The share of images whose VL features are those of another image: wrong captions. */
  captionError: share.optional(),
  /** The share of a concept's labelled images whose label is wrong. */
  labelNoise: sourced(z.number().min(0).max(0.5)).optional(),
  /**
   * How far the probes that are no images of concepts are of another kind: darker, tinted, blurred and
   * grainy. Rendered.
   */
  probeShift: share.optional(),
  /** Whether probes may be `all` of the pool, or only those `apart` from the images of concepts. */
  probePool: sourced(z.enum(["all", "apart"])).optional(),
  /** The share of a concept's images that surely show one factor that goes together with it. Rendered. */
  coOccurrence: share.optional(),
  /** How far outlines and surfaces of a concept's images are bent, and their light tinted. Rendered. */
  variety: share.optional(),
}).refine(
  ({ promptDispersion, promptZipf, promptStyle }) =>
    promptDispersion === undefined || (promptZipf !== undefined && promptStyle !== undefined),
  { path: ["promptDispersion"], message: "asks for promptZipf and promptStyle beside it" },
).readonly();

/** See {@linkcode dialsSchema}; bare values. */
export type Dials = Plain<z.output<typeof dialsSchema>>;
