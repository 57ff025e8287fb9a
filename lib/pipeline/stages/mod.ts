/** The kinds of stages, one file each. */
import type { StageKind } from "../stage.ts";
import { activationExhibitKind } from "./activation_exhibit.ts";
import { correctionExhibitKind } from "./correction_exhibit.ts";
import { bundleKind } from "./bundle.ts";
import { cavsKind } from "./cavs.ts";
import { classConceptsKind, sceneConceptsKind } from "./class_concepts.ts";
import { classLabelsKind, scenesKind } from "./class_labels.ts";
import { classLayerKind } from "./class_layer.ts";
import { conceptsKind, labelsKind, shownConceptsKind, textKind } from "./concepts.ts";
import { correctedLayerKind } from "./corrected_layer.ts";
import { confusionsKind } from "./confusions.ts";
import { centredKind, mismatchedKind, perturbedTextKind } from "./dials.ts";
import { featuresKind } from "./features.ts";
import { folderKind, worldKind } from "./files.ts";
import { gradientsKind, lastLayerKind } from "./gradients.ts";
import { classesKind, listedClassesKind, readableKind } from "./images.ts";
import { interventionsKind, trueDirectionsKind } from "./interventions.ts";
import { measureKind } from "./measure.ts";
import { measureCorrectionKind, measureLayerKind } from "./measure_layer.ts";
import { measurePeersKind } from "./measure_peers.ts";
import { pairsKind } from "./pairs.ts";
import { probesKind } from "./probes.ts";
import { scoresKind } from "./scores.ts";
import { controlValuesKind, significanceKind } from "./significance.ts";
import { shotsKind } from "./shots.ts";
import { wordCavKind } from "./word_cav.ts";
import { wordProbesKind } from "./word_probes.ts";
import { wordShotsKind } from "./word_shots.ts";
import { wordTextKind } from "./word_text.ts";

export { cosinesPerBlock, imagesPerBlock } from "./_activations.ts";
export * from "./activation_exhibit.ts";
export * from "./bundle.ts";
export * from "./cavs.ts";
export * from "./class_concepts.ts";
export * from "./class_labels.ts";
export * from "./class_layer.ts";
export * from "./concepts.ts";
export * from "./confusions.ts";
export * from "./corrected_layer.ts";
export * from "./correction_exhibit.ts";
export * from "./dials.ts";
export * from "./exhibits.ts";
export * from "./features.ts";
export * from "./files.ts";
export * from "./gradients.ts";
export * from "./images.ts";
export * from "./interventions.ts";
export * from "./measure.ts";
export * from "./measure_layer.ts";
export * from "./measure_peers.ts";
export * from "./pairs.ts";
export * from "./probes.ts";
export * from "./scores.ts";
export * from "./shots.ts";
export * from "./significance.ts";
export * from "./word_cav.ts";
export * from "./word_probes.ts";
export * from "./word_shots.ts";
export * from "./word_text.ts";

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
    activationExhibitKind,
    bundleKind,
    cavsKind,
    centredKind,
    classConceptsKind,
    classesKind,
    classLabelsKind,
    classLayerKind,
    conceptsKind,
    confusionsKind,
    controlValuesKind,
    correctedLayerKind,
    correctionExhibitKind,
    featuresKind,
    folderKind,
    gradientsKind,
    interventionsKind,
    labelsKind,
    lastLayerKind,
    listedClassesKind,
    measureCorrectionKind,
    measureKind,
    measureLayerKind,
    measurePeersKind,
    mismatchedKind,
    pairsKind,
    perturbedTextKind,
    probesKind,
    readableKind,
    sceneConceptsKind,
    scenesKind,
    scoresKind,
    shotsKind,
    shownConceptsKind,
    significanceKind,
    textKind,
    trueDirectionsKind,
    wordCavKind,
    wordProbesKind,
    wordShotsKind,
    wordTextKind,
    worldKind,
  ].map((kind) => [kind.name, kind as unknown as AnyStageKind]),
);
