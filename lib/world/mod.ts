/**
 * The controlled world: rendered images with known factors, written in the formats of the real
 * datasets.
 */
export * from "./broden.ts";
export * from "./cifar100.ts";
export * from "./classes.ts";
export * from "./co_occurrence.ts";
export * from "./concepts.ts";
export * from "./contact_sheet.ts";
export * from "./cub200.ts";
export * from "./factors.ts";
export * from "./imagenet.ts";
export * from "./intervention_sheet.ts";
export * from "./interventions.ts";
export * from "./render.ts";
export * from "./sample.ts";
export * from "./write_world.ts";
export type { ObjectClass, ObjectImage } from "./_object_images.ts";
