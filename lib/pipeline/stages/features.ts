import {
  type FeatureRows,
  missingBlocks,
  storedRows,
  storeImageFeatures,
} from "../../activations/mod.ts";
import type { ConceptImageSet } from "../../concepts/mod.ts";
import type { ImageSet } from "../../images/mod.ts";
import type { Store } from "../../store/mod.ts";
import { type ModelHow, openEncoder } from "../models.ts";
import {
  inSlice,
  markComplete,
  MissingNeed,
  refOf,
  type StageContext,
  type StageKind,
  type StageNode,
  storedInParts,
  type TypedNode,
} from "../stage.ts";
import type { DatasetFiles } from "./files.ts";
import { type ImagesOf, openImages, type ReadableImages } from "./images.ts";

/** What features need: the images of the concepts, or all that can be read. */
export interface FeaturesNeeds {
  readonly files: DatasetFiles;
  readonly concepts?: ConceptImageSet;
  readonly readable?: ReadableImages;
}

/** What features depend on, besides the images. */
export interface FeaturesInputs {
  readonly of: ImagesOf;
  /** Identifies the model: its sizes, the hash of its weights, its preprocessing. */
  readonly model: unknown;
  /** Which value of the model. */
  readonly output: string;
  /** What pooled intermediate features are made of. */
  readonly pooled?: unknown;
  readonly device: string;
  /** The runtime that computes, and what decodes the images. */
  readonly runtime: string;
  readonly decoder: string;
}

/** Where the model is, and how many images it takes at once, which does not change the features. */
export interface FeaturesHow {
  readonly model: ModelHow;
  readonly batch: number;
}

/** Features of images, one row an image, stored in parts. */
export const featuresKind: StageKind<FeaturesNeeds, FeaturesInputs, FeaturesHow, FeatureRows> = {
  name: "features",
  version: 3,
  inBlocks: true,
  ...storedInParts(loadRows),
  // One opening of a model serves all images that it is asked for.
  group: ({ inputs: { model, output } }) => JSON.stringify([model, output]),
  run: async (nodes, context) => {
    const { how, inputs: { output } } = nodes[0]!;
    const encoder = await openEncoder(how.model, { ...context, output });
    try {
      for (const node of nodes) {
        const { images, indices } = await chosenImages(node, context);
        const { store, slice } = context;
        await storeImageFeatures(images, {
          ...context,
          isWanted: (block) => inSlice(block, slice),
          indices,
          batch: how.batch,
          encoder,
          ref: refOf(node),
        });
        if (slice === undefined) await markComplete(node, { store, count: indices.length });
      }
    } finally {
      await encoder.close();
    }
  },
};

/** Rows that are found missing when they are taken are computed again by the scheduler. */
export async function loadRows(
  node: StageNode,
  { store, count }: { readonly store: Store; readonly count: number },
): Promise<FeatureRows | undefined> {
  const ref = refOf(node);
  const complete = (await missingBlocks(count, { store, ref })).length === 0;
  if (!complete) return undefined;
  return await storedRows({ store, ref, rows: count, onMissing: () => new MissingNeed(node.key) });
}

async function chosenImages(
  node: TypedNode<FeaturesInputs, FeaturesHow>,
  { need }: Pick<StageContext<FeaturesNeeds>, "need">,
): Promise<{ readonly images: ImageSet; readonly indices: ArrayLike<number> }> {
  const images = await openImages(node.inputs.of, await need(node, "files"));
  const indices = node.needs["concepts"] === undefined
    ? (await need(node, "readable"))!.indices
    : (await need(node, "concepts"))!.images;
  return { images, indices };
}
