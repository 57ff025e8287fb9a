import type { Cell } from "../experiment/mod.ts";
import { UserError } from "../files/mod.ts";
import { dataDialsOf } from "./_plan_dials.ts";
import { type Known, once } from "./_planning.ts";
import { planClassDataset, type PlannedClasses } from "./plan_classes.ts";
import { planConcepts, type PlannedConcepts } from "./plan_data.ts";
import { locateDataset } from "./plan_images.ts";

/** The dataset of a cell, laid out once for all experiments: of concepts, or of classes. */
export async function planDataset(
  name: string,
  settings: Pick<Cell["settings"], "sceneCorrelation" | "dials" | "negatives">,
  known: Known,
): Promise<PlannedConcepts | PlannedClasses> {
  const place = async () => {
    const configs = {};
    const options = { ...known, root: known.request.root, configs };
    return { dataset: await locateDataset(name, options), configs };
  };
  const { dataset: located, configs } = await once(known.laidOut.located, name, place);
  const options = { ...known, root: known.request.root, configs };
  if (located.config.format === "broden") {
    const dials = dataDialsOf(settings);
    const key = [name, dials.name].join(" ").trim();
    const plan = () => planConcepts(located, { ...options, dials });
    return await once(known.data, key, () => once(known.laidOut.data, key, plan));
  }
  const { sceneCorrelation } = settings;
  const key = sceneCorrelation === undefined ? name : `${name} ${sceneCorrelation}`;
  const plan = () => planClassDataset(located, { ...options, sceneCorrelation });
  return await once(known.classes, key, () => once(known.laidOut.classes, key, plan));
}

/**
 * A dataset of concepts.
 *
 * @throws {UserError} for one of classes.
 */
export async function planConceptDataset(name: string, known: Known): Promise<PlannedConcepts> {
  const data = await planDataset(name, {}, known);
  if ("concepts" in data) return data;
  throw new UserError(
    `Experiment ${known.experiment.id} takes concepts from ${name}, which has classes only. Name a ` +
      `dataset in the format of Broden.`,
  );
}
