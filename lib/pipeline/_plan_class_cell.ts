import type { MeasureName } from "../metrics/mod.ts";
import { measureOf } from "../metrics/mod.ts";
import { UserError } from "../files/mod.ts";
import { planCavs } from "./_plan_cavs.ts";
import { planClassConcepts, planClassLayer, splitFeatures } from "./_plan_class_concepts.ts";
import { planText } from "./_plan_language.ts";
import type { ClassParts, Known } from "./_planning.ts";
import type { Stage } from "./stage.ts";
import { measureKind, type Measurement } from "./stages/mod.ts";

/** The stage of a measure in a cell whose dataset has classes. */
export async function planClassMeasure(
  name: MeasureName,
  parts: ClassParts,
  known: Known,
): Promise<Stage<readonly Measurement[]>> {
  const { over } = measureOf(name);
  if (over === "rankings") return await planRanking(name, parts, known);
  throw new UserError(
    `Experiment ${known.experiment.id} measures ${name} on ${parts.classes.name}, which it says ` +
      `nothing of. Take a measure of classes, or a dataset of concepts.`,
  );
}

/** How the CAVs of classes rank the test images. */
async function planRanking(name: MeasureName, parts: ClassParts, known: Known) {
  const { classes, target, vl } = parts;
  const layer = planClassLayer(parts, known);
  const data = await planClassConcepts(parts, { layer }, known);
  const ofCell = { ...parts, data, output: "features" };
  const cavs = await planCavs(ofCell, known);
  const { images } = classes.test;
  const { version, title } = measureOf(name);
  return known.graph.stage(measureKind, {
    id: `${name} of ${cavs.id}`,
    inputs: { measure: name, version },
    needs: {
      cavs,
      concepts: data.concepts,
      text: await planText(ofCell, known),
      test: splitFeatures(images, { model: target, output: "features" }, known),
      vlTest: splitFeatures(images, { model: vl, output: "embedding" }, known),
    },
    how: null,
    work: title.toLowerCase(),
  });
}
