import { join } from "node:path";
import { readInterventions } from "../../datasets/mod.ts";
import {
  type InterventionContext,
  type TrueDirections,
  trueDirections,
} from "../../metrics/mod.ts";
import type { FeatureRows } from "../../activations/mod.ts";
import { readSafetensors, writeSafetensors } from "../../tensor/mod.ts";
import { writeInterventions } from "../../world/mod.ts";
import { artifactKind, type Codec, refOf, type StageKind } from "../stage.ts";
import type { DatasetFiles } from "./files.ts";
import { openImages } from "./images.ts";

/** What images of interventions depend on. */
interface InterventionsInputs {
  readonly seed: number;
  readonly imageSize: number;
  /** Contexts of each factor. */
  readonly contexts: number;
  /** What encodes the images. */
  readonly encoder: string;
}

/** Images of the world that differ in one factor only, rendered into the store. */
export const interventionsKind: StageKind<
  Record<never, never>,
  InterventionsInputs,
  null,
  DatasetFiles
> = {
  name: "interventions",
  version: 1,
  isStored: (node, store) => store.has(refOf(node)),
  load: async (node, store) => {
    const record = await store.openDirectory(refOf(node));
    return record && { folder: join(record.path, "interventions") };
  },
  group: ({ key }) => key,
  run: async ([node], { store, onProgress }) => {
    const { contexts, seed, imageSize } = node!.inputs;
    await store.publishDirectory(
      refOf(node!),
      (path) =>
        writeInterventions(join(path, "interventions"), { seed, imageSize }, {
          contexts,
          onProgress,
        }),
    );
  },
};

/** The true directions of concepts, with the names of the concepts and their factors. */
export interface Truth extends TrueDirections {
  readonly concepts: readonly { readonly name: string; readonly category: string }[];
}

const codec: Codec<Truth> = {
  encode: ({ concepts, ...tensors }) =>
    writeSafetensors(
      new Map(Object.entries(tensors)),
      { concepts: JSON.stringify(concepts) },
      { dtype: "F32" },
    ),
  decode: (bytes) => {
    const { tensors, metadata } = readSafetensors(bytes);
    return {
      ...Object.fromEntries(tensors) as unknown as TrueDirections,
      concepts: JSON.parse(metadata["concepts"]!),
    };
  },
};

/** The true direction of each concept in the features of a model, from the images of interventions. */
export const trueDirectionsKind = artifactKind<
  { readonly files: DatasetFiles; readonly features: FeatureRows },
  Record<never, never>,
  null,
  Truth
>({
  name: "true_directions",
  version: 1,
  codec,
  compute: async (node, { need }) => {
    const { contexts, concepts } = await contextsOf(await need(node, "files"));
    const features = await need(node, "features");
    const count = { concepts: concepts.length };
    return { concepts, ...await trueDirections(features, contexts, count) };
  },
});

/** The contexts of all factors, with the rows of their images among the features of all images. */
async function contextsOf(files: DatasetFiles): Promise<{
  readonly contexts: readonly InterventionContext[];
  readonly concepts: Truth["concepts"];
}> {
  const rows = await readInterventions(files.folder);
  const { ids } = await openImages({ format: "folder" }, files);
  const rowOf = new Map(ids.map((id, index) => [id, index]));
  const categoryOf = new Map(rows.map(({ concept, category }) => [concept, category]));
  const concepts = [...categoryOf].map(([name, category]) => ({ name, category }));
  const numberOf = new Map(concepts.map(({ name }, number) => [name, number]));
  const groups = Map.groupBy(rows, ({ category, context }) => `${category} ${context}`);
  const contexts = [...groups.values()].map((group) => ({
    concepts: group.map(({ concept }) => numberOf.get(concept)!),
    images: group.map(({ image }) => rowOf.get(image)!),
  }));
  return { contexts, concepts };
}
