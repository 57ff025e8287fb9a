import { UserError } from "../files/mod.ts";
import type { LastLayer } from "../models/mod.ts";
import { featuresOf } from "./_plan_language.ts";
import type { ClassParts, Known } from "./_planning.ts";
import type { PlannedClasses } from "./plan_classes.ts";
import type { PlannedData } from "./plan_data.ts";
import type { PlannedImages } from "./plan_images.ts";
import type { PlannedModel, PlannedTarget } from "./plan_models.ts";
import type { Stage } from "./stage.ts";
import {
  classConceptsKind,
  classLayerKind,
  confusionsKind,
  sceneConceptsKind,
} from "./stages/mod.ts";

/** The stage of a model's features of all images of a split that can be read. */
export function splitFeatures(
  images: PlannedImages,
  { model, output }: { readonly model: PlannedModel; readonly output: string },
  known: Known,
) {
  return featuresOf({ images, chosen: { readable: images.readable }, model, output }, known);
}

/** The class names that a model brings, which decide what its logits are. */
export function classNamesOf({ classNames }: PlannedTarget) {
  return classNames === undefined ? {} : { classNames };
}

/** The stage of the last layer that a model's weights have for the classes of a dataset. */
export function planClassLayer(
  { classes, target }: Pick<ClassParts, "classes" | "target">,
  { graph }: Known,
): Stage<LastLayer> {
  return graph.stage(classLayerKind, {
    id: `last layer ${target.name} ${classes.name}`,
    inputs: {
      model: target.identity,
      ...classNamesOf(target),
      ...(classes.view && { only: classes.view.classes.map(({ id }) => id) }),
    },
    needs: { classes: classes.classes },
    how: { model: target.how },
    work: "reads the last layer's weights of the classes",
  });
}

/**
 * A concept of each class, as the experiment's "classConcepts" says; probes come from the training
 * images.
 *
 * @param options.layer tells the confusions.
 */
export async function planClassConcepts(
  { cell: { settings: { classConcepts } }, classes, target }: ClassParts,
  { layer }: { readonly layer: Stage<LastLayer> },
  known: Known,
): Promise<PlannedData> {
  const { graph, experiment } = known;
  const { train: { images, labels }, view } = classes;
  const of = `${images.name} ${classConcepts}`;
  if (classConcepts === undefined) {
    throw new UserError(
      `Experiment ${experiment.id} makes CAVs of classes, and its settings do not say of what: set ` +
        `"classConcepts" to "descriptions" or "confusions".`,
    );
  }
  const only = view && { only: view.classes };
  const common = { work: "finds the words of each class" };
  if (classConcepts === "descriptions") {
    const { words, file } = await classes.descriptions();
    const concepts = graph.stage(classConceptsKind, {
      ...common,
      id: `concepts ${of}`,
      inputs: { words, ...only },
      needs: { classes: classes.classes },
      how: { ...(file !== undefined && { file }) },
    });
    return unlabelled(of, { concepts, classes });
  }
  const features0 = splitFeatures(images, { model: target, output: "features" }, known);
  const confusions = graph.stage(confusionsKind, {
    id: `confusions ${target.name} ${images.name}`,
    inputs: {},
    needs: { features0, labels, layer },
    how: null,
    work: "counts which classes are mistaken for which",
  });
  const concepts = graph.stage(classConceptsKind, {
    ...common,
    id: `concepts ${of} of ${target.name}`,
    inputs: { words: classes.names.words, ...only },
    needs: { classes: classes.classes, confusions },
    how: {},
  });
  return unlabelled(`${of} of ${target.name}`, { concepts, classes });
}

/** The classes of a dataset by their names, as a zero-shot classifier is asked for them. */
export function planClassNames({ classes }: ClassParts, { graph }: Known): PlannedData {
  const name = `${classes.name} names`;
  const concepts = graph.stage(classConceptsKind, {
    id: `concepts ${name}`,
    inputs: {
      words: classes.names.words,
      ...(classes.view && { only: classes.view.classes }),
    },
    needs: { classes: classes.classes },
    how: {},
    work: "finds the words of each class",
  });
  return unlabelled(name, { concepts, classes });
}

/** The scenes of a dataset's training images as concepts. */
export function planSceneConcepts({ classes }: ClassParts, { graph }: Known): PlannedData {
  const { images, scenes } = classes.train;
  const name = `${images.name} scenes`;
  const concepts = graph.stage(sceneConceptsKind, {
    id: `concepts ${name}`,
    inputs: {},
    needs: { scenes: scenes() },
    how: null,
    work: "lists the scenes",
  });
  return unlabelled(name, { concepts, classes });
}

/** Concepts of which there are words only: all training images may be probes. */
function unlabelled(
  name: string,
  { concepts, classes }: {
    readonly concepts: PlannedData["concepts"];
    readonly classes: PlannedClasses;
  },
): PlannedData {
  const { classCount: conceptCount, train } = classes;
  return { name, concepts, conceptCount, otherConcepts: false, pool: [train.images] };
}
