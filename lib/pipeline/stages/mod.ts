/** The kinds of stages, one file each. */
import type { StageKind } from "../stage.ts";
import { cavsKind } from "./cavs.ts";
import { conceptsKind, labelsKind, shownConceptsKind, textKind } from "./concepts.ts";
import { featuresKind } from "./features.ts";
import { folderKind, worldKind } from "./files.ts";
import { gradientsKind, lastLayerKind } from "./gradients.ts";
import { classesKind, listedClassesKind, readableKind } from "./images.ts";
import { measureKind } from "./measure.ts";
import { pairsKind } from "./pairs.ts";
import { probesKind } from "./probes.ts";
import { shotsKind } from "./shots.ts";

export * from "./cavs.ts";
export * from "./concepts.ts";
export * from "./features.ts";
export * from "./files.ts";
export * from "./gradients.ts";
export * from "./images.ts";
export * from "./measure.ts";
export * from "./pairs.ts";
export * from "./probes.ts";
export * from "./shots.ts";

/** A kind whose types are known by the planner alone; a worker has nodes as data. */
export type AnyStageKind = StageKind<
  Record<string, unknown>,
  // deno-lint-ignore no-explicit-any
  any,
  // deno-lint-ignore no-explicit-any
  any,
  unknown
>;

/** Every kind of stage by its name. */
export const stageKinds: ReadonlyMap<string, AnyStageKind> = new Map(
  [
    cavsKind,
    classesKind,
    conceptsKind,
    featuresKind,
    folderKind,
    gradientsKind,
    labelsKind,
    lastLayerKind,
    listedClassesKind,
    measureKind,
    pairsKind,
    probesKind,
    readableKind,
    shotsKind,
    shownConceptsKind,
    textKind,
    worldKind,
  ].map((kind) => [kind.name, kind as unknown as AnyStageKind]),
);
