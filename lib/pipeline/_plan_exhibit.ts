import type { Plain } from "../config/mod.ts";
import { plain } from "../config/mod.ts";
import type { Experiment, Show } from "../experiment/mod.ts";
import { UserError } from "../files/mod.ts";
import { decoderVersion } from "../images/mod.ts";
import type { MeasureName } from "../metrics/mod.ts";
import { runtimeVersion } from "../onnx/mod.ts";
import { makesCavs } from "./_methods.ts";
import { planCavs } from "./_plan_cavs.ts";
import { planClassConcepts, splitFeatures } from "./_plan_class_concepts.ts";
import { planLayer, planUncorrected, runnable } from "./_plan_layers.ts";
import type { ClassParts, Known } from "./_planning.ts";
import type { Stage } from "./stage.ts";
import {
  activationExhibitKind,
  type CorrectedLayer,
  correctionExhibitKind,
  type Exhibited,
  type LabelledOf,
} from "./stages/mod.ts";

type Gallery = Extract<Plain<Show>, { readonly as: "gallery" }>;

/** What each gallery measures of its images. */
const measured: Readonly<Record<Gallery["of"], readonly MeasureName[]>> = {
  activations: ["image_activation"],
  corrections: ["logit_before", "logit_after"],
};

/** What a gallery shows, or undefined where the experiment shows something else. */
export function galleryOf({ id, show, measures, concepts }: Experiment): Gallery | undefined {
  if (show.as !== "gallery") return undefined;
  const wanted = measured[show.of];
  const fits = measures.length === wanted.length && wanted.every((name) => measures.includes(name));
  if (!fits) {
    throw new UserError(
      `experiments/${id}.json shows a gallery of ${show.of} and measures ${measures.join(", ")}. ` +
        `Measure ${wanted.join(" and ")}.`,
    );
  }
  if (concepts !== undefined) {
    throw new UserError(
      `experiments/${id}.json names "concepts" for a gallery, whose pictures are chosen by its rule. ` +
        `Leave them out.`,
    );
  }
  return plain<Show>(show) as Gallery;
}

/**
 * The stage of what a gallery shows of a cell.
 *
 * @throws {UserError} when the cell's method makes nothing that such a gallery shows.
 */
export async function planExhibit(
  show: Gallery,
  { parts, known }: { readonly parts: ClassParts; readonly known: Known },
): Promise<Stage<Exhibited>> {
  const { method, classes: { test: { images, labels } }, target } = parts;
  const needs = {
    files: images.files,
    readable: images.readable,
    labels,
    features0: splitFeatures(images, { model: target, output: "features" }, known),
  };
  const { config: { preprocess } } = target.how;
  const common = {
    // The images of a dataset of classes have classes.
    of: images.of as LabelledOf,
    images: show.images,
    preprocess,
    decoder: decoderVersion,
    runtime: runtimeVersion,
  };
  const layer = await planUncorrected(parts, known);
  if (show.of === "activations") {
    if (!makesCavs(method)) throw unfit(parts, { show, known, wanted: "makes no CAVs" });
    const data = await planClassConcepts(parts, { layer }, known);
    const cavs = await planCavs({ ...parts, method, data, output: "features" }, known);
    return known.graph.stage(activationExhibitKind, {
      id: `most and least activated images of ${cavs.id}`,
      inputs: { ...common, concepts: show.concepts },
      needs: { ...needs, cavs, concepts: data.concepts },
      how: null,
      work: `pictures of ${show.concepts} concepts`,
    });
  }
  const correction = runnable(method);
  if (correction === undefined || correction.base === "original") {
    throw unfit(parts, { show, known, wanted: "corrects no last layer" });
  }
  const corrected = await planLayer({ ...parts, method: correction }, known);
  return known.graph.stage(correctionExhibitKind, {
    id: `images corrected by ${corrected.id}`,
    inputs: {
      ...common,
      perClass: show.perClass,
      cells: show.cells,
      model: target.identity,
      device: known.request.device,
    },
    needs: { ...needs, uncorrected: layer, corrected: corrected as Stage<CorrectedLayer> },
    how: { model: target.how },
    work: `pictures of ${show.images} images with Grad-CAM`,
  });
}

function unfit(
  { method }: ClassParts,
  { show, known, wanted }: {
    readonly show: Gallery;
    readonly known: Known;
    readonly wanted: string;
  },
): UserError {
  return new UserError(
    `Experiment ${known.experiment.id} shows a gallery of ${show.of}, and ${method.title} ` +
      `(${method.id}) ${wanted}. Take another method.`,
  );
}
