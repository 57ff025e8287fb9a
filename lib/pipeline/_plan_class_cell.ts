import { UserError } from "../files/mod.ts";
import { type MeasureName, measureOf } from "../metrics/mod.ts";
import { makesCavs } from "./_methods.ts";
import { planCavs } from "./_plan_cavs.ts";
import { planClassConcepts, splitFeatures } from "./_plan_class_concepts.ts";
import { type CorrectionParts, planLayer, planUncorrected, runnable } from "./_plan_layers.ts";
import { planText } from "./_plan_language.ts";
import { planProbeMeasure } from "./_plan_measure.ts";
import type { ClassParts, Known } from "./_planning.ts";
import type { Stage } from "./stage.ts";
import {
  type CorrectedLayer,
  measureCorrectionKind,
  measureKind,
  measureLayerKind,
  type Measurement,
} from "./stages/mod.ts";

/** The stage of a measure in a cell whose dataset has classes. */
export async function planClassMeasure(
  name: MeasureName,
  parts: ClassParts,
  known: Known,
): Promise<Stage<readonly Measurement[]>> {
  const { over } = measureOf(name);
  const correction = runnable(parts.method);
  if (over === "rankings" && makesCavs(parts.method)) {
    return await planRanking(name, { ...parts, method: parts.method }, known);
  }
  if (over === "probes" && makesCavs(parts.method)) {
    const ofCell = await planClassCavs({ ...parts, method: parts.method }, known);
    return await planProbeMeasure(name, ofCell, known);
  }
  if (over === "classes" && correction) {
    return await planAccuracy(name, { ...parts, method: correction }, known);
  }
  if (over === "corrections" && correction && correction.base !== "original") {
    return await planDiagnostic(name, { ...parts, method: correction }, known);
  }
  throw new UserError(
    `Experiment ${known.experiment.id} measures ${name} of ${parts.method.title} on ` +
      `${parts.classes.name}, of which it says nothing. Take another measure, method or dataset.`,
  );
}

type CavParts = Omit<Parameters<typeof planCavs>[0], "data" | "output"> & ClassParts;

/** The cell of CAVs that a cell of a dataset of classes holds. */
async function planClassCavs(parts: CavParts, known: Known) {
  const layer = await planUncorrected(parts, known);
  const data = await planClassConcepts(parts, { layer }, known);
  const ofCell = { ...parts, data, output: "features" };
  return { ...ofCell, cavs: await planCavs(ofCell, known) };
}

/** How the CAVs of classes rank the test images. */
async function planRanking(name: MeasureName, parts: CavParts, known: Known) {
  const { classes, target, vl } = parts;
  const { cavs, ...ofCell } = await planClassCavs(parts, known);
  const { images } = classes.test;
  const { version, title } = measureOf(name);
  return known.graph.stage(measureKind, {
    id: `${name} of ${cavs.id}`,
    inputs: { measure: name, version },
    needs: {
      cavs,
      concepts: ofCell.data.concepts,
      text: await planText(ofCell, known),
      test: splitFeatures(images, { model: target, output: "features" }, known),
      vlTest: splitFeatures(images, { model: vl, output: "embedding" }, known),
    },
    how: null,
    work: title.toLowerCase(),
  });
}

/** How a last layer tells the test images. */
async function planAccuracy(name: MeasureName, parts: CorrectionParts, known: Known) {
  const { classes: { train, test }, target } = parts;
  const layer = await planLayer(parts, known);
  const measure = measureOf(name);
  const asksForScenes = measure.over === "classes" && measure.scenes;
  return known.graph.stage(measureLayerKind, {
    id: `${name} of ${layer.id}`,
    inputs: { measure: name, version: measure.version },
    needs: {
      layer,
      features0: splitFeatures(test.images, { model: target, output: "features" }, known),
      labels: test.labels,
      ...(asksForScenes && {
        scenes: test.scenes(),
        trainLabels: train.labels,
        trainScenes: train.scenes(),
      }),
    },
    how: null,
    work: measure.title.toLowerCase(),
  });
}

/** What a correction tells of itself. */
async function planDiagnostic(name: MeasureName, parts: CorrectionParts, known: Known) {
  const layer = await planLayer(parts, known) as Stage<CorrectedLayer>;
  const { version, title } = measureOf(name);
  return known.graph.stage(measureCorrectionKind, {
    id: `${name} of ${layer.id}`,
    inputs: { measure: name, version },
    needs: { layer },
    how: null,
    work: title.toLowerCase(),
  });
}
