import { z } from "zod";
import { type Plain, sourced } from "./sourced.ts";

const count = sourced(z.int().positive().max(100_000));
const share = sourced(z.number().min(0).max(1));
/** The probability that a training image has its class's preferred scene, else any scene. */
const sceneCorrelation = sourced(z.number().min(0).max(1));

/** The schema of configs/datasets/world.json: how large the controlled world is. */
export const worldSchema = z.strictObject({
  seed: sourced(z.int().nonnegative().max(2 ** 32 - 1)),
  /** Width and height of the images of Broden, ImageNet and CUB, in pixels. */
  imageSize: sourced(z.int().min(16).max(512)),
  broden: z.strictObject({
    /** Width and height of the label masks, in pixels. */
    maskSize: sourced(z.int().min(8).max(512)),
    imagesPerConcept: count,
    /** Images in which a scene, an object, its parts, colour and surface are all labelled. */
    mixedImages: sourced(z.int().nonnegative().max(1_000_000)),
    /** The share of a concept's images that surely show what goes together with it; none when left out. */
    coOccurrence: share.optional(),
    /** How far outlines and surfaces are bent and tinted from image to image; not at all when left out. */
    variety: share.optional(),
  }),
  imagenet: z.strictObject({
    trainPerClass: count,
    valPerClass: count,
    sceneCorrelation,
    /** How far the images are darker, tinted, blurred and grainy; not at all when left out. */
    shift: share.optional(),
  }),
  cub200: z.strictObject({ trainPerClass: count, testPerClass: count, sceneCorrelation }),
  cifar100: z.strictObject({ trainPerClass: count, testPerClass: count, sceneCorrelation }),
});

/** The world's config with its sources. */
export type WorldSpec = z.infer<typeof worldSchema>;

/** The world's config, bare values. */
export type WorldConfig = Plain<WorldSpec>;
