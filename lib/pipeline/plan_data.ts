import type { ConceptImageSet } from "../concepts/mod.ts";
import { plain } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import { decoderVersion, type LabelledImages } from "../images/mod.ts";
import { worldConcepts } from "../world/mod.ts";
import type { DataDials } from "./_plan_dials.ts";
import {
  type DataOptions,
  datasetImages,
  folderImages,
  type Located,
  locateDataset,
  type PlannedImages,
  type Rendering,
} from "./plan_images.ts";
import type { Stage } from "./stage.ts";
import { UnavailableError } from "./unavailable_error.ts";
import { classesKind, conceptsKind, labelsKind, listedClassesKind } from "./stages/mod.ts";

/** Concepts, and the images from which their CAVs are made. */
export interface PlannedData {
  /** For people: the concepts' dataset. */
  readonly name: string;
  readonly concepts: Stage<ConceptImageSet>;
  /** How many concepts there are, at most. */
  readonly conceptCount: number;
  /** The labelled images of the concepts, where they have any. */
  readonly own?: PlannedImages;
  /** Whether the labelled images of other concepts are probes. */
  readonly otherConcepts: boolean;
  /** The other sources of probes. */
  readonly pool: readonly PlannedImages[];
}

/** A dataset of labelled concepts, with the classes of the target models. */
export interface PlannedConcepts extends PlannedData {
  /** The classes of the target models, in the order of their logits. */
  readonly classes: Stage<LabelledImages["classes"]>;
  /** Every config that was read, by file. */
  readonly configs: Readonly<Record<string, unknown>>;
}

/**
 * Lays out the stages of a dataset of concepts, of the probe pool and of the classes.
 *
 * @param options.dials what is rendered otherwise, and whether concepts' images are probes.
 */
export async function planConcepts(
  dataset: Located,
  { dials, ...options }: DataOptions & { readonly dials: DataDials },
): Promise<PlannedConcepts> {
  const { name, location, config: { singleConcept, unreadable, ...config } } = dataset;
  const { profile, graph, configs } = options;
  if (singleConcept === undefined) {
    throw new UserError(
      `configs/datasets/${name}.json has no singleConcept, so the dataset has no concepts. Name ` +
        `another one as the factor "dataset".`,
    );
  }
  if (dials.clean && !("world" in location)) {
    throw new UnavailableError(
      `"negatives": "clean" asks what the images of ${name} truly show, which the profile ` +
        `${profile.name} does not know of a folder. Take the profile world.`,
    );
  }
  const own = await datasetImages(dataset, {
    ...options,
    of: { format: "broden" },
    rendering: dials.own,
  });
  const { files, readable } = own;
  const labels = graph.stage(labelsKind, {
    id: `labels ${own.name}`,
    inputs: { policy: unreadable, decoder: decoderVersion },
    needs: { files },
    how: null,
    work: `reads the masks of ${name}`,
  });
  const concepts = graph.stage(conceptsKind, {
    id: `concepts ${own.name}${dials.clean ? " clean negatives" : ""}`,
    inputs: { filter: plain(singleConcept), ...(dials.clean && { negatives: "clean" as const }) },
    needs: { files, labels, readable },
    how: null,
    work: "selects single-concept images and their negatives",
  });
  const pool: PlannedImages[] = [];
  for (const source of profile.probePool) {
    if ("folder" in source) pool.push(await folderImages(source.folder, options));
    else if ("split" in source) {
      const ofPool = { ...options, rendering: dials.pool };
      pool.push(await imageNetImages(source.dataset, source.split.value, ofPool));
    }
  }
  const otherConcepts = !dials.apart && profile.probePool.some((source) => "images" in source);
  const classes = await planClasses(options);
  const conceptCount = "world" in location ? worldConcepts().length : config.classes;
  return { name, concepts, conceptCount, own, otherConcepts, pool, classes, configs };
}

async function planClasses(options: DataOptions): Promise<Stage<LabelledImages["classes"]>> {
  const { profile: { classes }, graph } = options;
  if ("list" in classes) {
    return graph.stage(listedClassesKind, {
      id: `classes ${classes.list}`,
      inputs: { list: classes.list },
      needs: {},
      how: null,
      work: "lists the classes",
    });
  }
  const { of, files } = await imageNetImages(classes.dataset, classes.split, options);
  return graph.stage(classesKind, {
    id: `classes ${classes.dataset}`,
    inputs: { of },
    needs: { files },
    how: null,
    work: "lists the classes",
  });
}

/** A split of a dataset in the format of ImageNet, as probes and as the classes of models. */
async function imageNetImages(
  dataset: string,
  split: "train" | "val",
  options: DataOptions & { readonly rendering?: Rendering },
) {
  const located = await locateDataset(dataset, options);
  const { format } = located.config;
  if (format !== "imagenet") {
    throw new UserError(
      `configs/profiles/${options.profile.name}.json takes the ${split} split of ${dataset} for ` +
        `probes or classes, and its format is ${format}, which has none. Name another dataset.`,
    );
  }
  const of = { format, split };
  return { ...await datasetImages(located, { ...options, of }), of };
}
