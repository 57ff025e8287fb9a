import { readScenes } from "../../datasets/mod.ts";
import { UserError } from "../../files/mod.ts";
import type { LabelledImages } from "../../images/mod.ts";
import { artifactKind, jsonCodec } from "../stage.ts";
import type { DatasetFiles } from "./files.ts";
import { type LabelledOf, openLabelled, type ReadableImages } from "./images.ts";

/** The classes of a dataset and the class of each image that can be read, in the order of features. */
export interface ClassLabels {
  readonly classes: LabelledImages["classes"];
  readonly labels: readonly number[];
}

interface SplitNeeds {
  readonly files: DatasetFiles;
  readonly readable: ReadableImages;
}

/** The classes of the images of a split; each class must have one at least. */
export const classLabelsKind = artifactKind<
  SplitNeeds,
  { readonly of: LabelledOf },
  null,
  ClassLabels
>({
  name: "class_labels",
  isCheck: true,
  version: 1,
  codec: jsonCodec(),
  compute: async (node, { need }) => {
    const { images, classes, labels } = await openLabelled(
      node.inputs.of,
      await need(node, "files"),
    );
    const { indices } = await need(node, "readable");
    const ofReadable = indices.map((index) => labels[index]!);
    const present = new Set(ofReadable);
    const empty = classes.find((_, label) => !present.has(label));
    if (empty === undefined) return { classes, labels: ofReadable };
    throw new UserError(
      `${images.name} has no image of the class ${empty.id} (${empty.name}) that can be read; a last ` +
        `layer is trained and measured on images of every class. Add some.`,
    );
  },
});

/** The scene of each image of a split that can be read, in the order of features. */
export const scenesKind = artifactKind<
  SplitNeeds,
  { readonly of: LabelledOf },
  null,
  readonly string[]
>({
  name: "scenes",
  isCheck: true,
  version: 1,
  codec: jsonCodec(),
  compute: async (node, { need }) => {
    const { of } = node.inputs;
    const files = await need(node, "files");
    const { images: { ids } } = await openLabelled(of, files);
    const { indices } = await need(node, "readable");
    return await readScenes(files.folder, { ...of, ids: indices.map((index) => ids[index]!) });
  },
});
