import { join } from "node:path";
import { loadConfig, plain, worldSchema } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import { decoderVersion } from "../images/mod.ts";
import { worldConcepts } from "../world/mod.ts";
import { renderingEstimate } from "./_estimates.ts";
import { featuresOf } from "./_plan_language.ts";
import type { CellParts, Known } from "./_planning.ts";
import type { PlannedConcepts } from "./plan_data.ts";
import { imagesOf, type PlannedImages } from "./plan_images.ts";
import type { Stage } from "./stage.ts";
import { interventionsKind, trueDirectionsKind, type Truth } from "./stages/mod.ts";
import { UnavailableError } from "./unavailable_error.ts";

/** The stage of the true directions of the concepts in the features of a cell's layer. */
export async function planTruth(
  parts: Pick<CellParts, "cell" | "target" | "output"> & { readonly data: PlannedConcepts },
  known: Known,
): Promise<Stage<Truth>> {
  const { target: model, output } = parts;
  const images = await planInterventions(parts, known);
  const { files, readable, name } = images;
  return known.graph.stage(trueDirectionsKind, {
    id: `true directions ${model.name}${output === "features" ? "" : ` ${output}`} ${name}`,
    inputs: {},
    needs: { files, features: featuresOf({ images, chosen: { readable }, model, output }, known) },
    how: null,
    work: "mean differences of images that differ in one factor",
  });
}

/**
 * The images of the world that differ in one factor only.
 *
 * @throws {UnavailableError} where the dataset is a folder of images, which are as they are.
 * @throws {UserError} when the experiment does not say in how many contexts to intervene.
 */
async function planInterventions(
  { cell: { settings: { contexts } }, data }: Pick<CellParts, "cell"> & {
    readonly data: PlannedConcepts;
  },
  known: Known,
): Promise<PlannedImages> {
  const { experiment, profile, graph, configs, request: { root } } = known;
  const dataset = data.own?.dataset ?? data.name;
  const location = profile.datasets[dataset];
  if (location === undefined || "folder" in location) {
    throw new UnavailableError(
      `The profile ${profile.name} has ${dataset} as a folder of images, of which none is there again ` +
        `with one factor changed, and experiment ${experiment.id} measures truth. Take the profile ` +
        `world, which renders them.`,
    );
  }
  if (contexts === undefined) {
    throw new UserError(
      `Experiment ${experiment.id} measures truth, and its settings do not say in how many ` +
        `"contexts" of each factor the world intervenes. Add it.`,
    );
  }
  const spec = await loadConfig(join(root, location.world), worldSchema);
  configs[location.world] = spec;
  const { seed, imageSize } = plain(spec);
  const count = contexts * worldConcepts().length;
  const files = graph.stage(interventionsKind, {
    id: `interventions in ${contexts} contexts`,
    inputs: { seed, imageSize, contexts, encoder: decoderVersion },
    needs: {},
    how: null,
    work: "renders images that differ in one factor",
    estimate: renderingEstimate({ count, imageSize }),
  });
  return imagesOf(`interventions in ${contexts} contexts`, {
    graph,
    policy: "fail",
    of: { format: "folder" },
    files,
    count,
  });
}
