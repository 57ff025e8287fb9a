import type { DatasetConfig } from "../../config/mod.ts";
import {
  ilsvrc2012Classes,
  readBroden,
  readCifar100,
  readCub200,
  readImageFolder,
  readImageNet,
  viewOfClasses,
} from "../../datasets/mod.ts";
import { checkImages, type ImageSet, type LabelledImages } from "../../images/mod.ts";
import { artifactKind, jsonCodec } from "../stage.ts";
import type { DatasetFiles } from "./files.ts";

/** Some classes of a dataset as a dataset of their own. */
export interface View {
  readonly name: string;
  readonly classes: LabelledImages["classes"];
}

/** Which images of a dataset, each with a class. */
export type LabelledOf =
  | { readonly format: "imagenet"; readonly split: "train" | "val"; readonly view?: View }
  | { readonly format: "cub200" | "cifar100"; readonly split: "train" | "test" };

/** Which images of a dataset. */
export type ImagesOf = { readonly format: "broden" } | LabelledOf | { readonly format: "folder" };

/** Which images of a dataset take part. */
export interface ReadableImages {
  readonly indices: readonly number[];
  /** The images that were left out because they cannot be read, by name. */
  readonly unreadable: readonly { readonly id: string; readonly reason: string }[];
}

/** Opens the images of a dataset; nothing but names is held. */
export async function openImages(of: ImagesOf, files: DatasetFiles): Promise<ImageSet> {
  switch (of.format) {
    case "broden":
      return (await readBroden(files.folder)).images;
    case "folder":
      return readImageFolder(files.folder);
    default:
      return (await openLabelled(of, files)).images;
  }
}

/** Opens the images of a dataset with their classes; labels are positions among the view's. */
export async function openLabelled(
  of: LabelledOf,
  { folder }: DatasetFiles,
): Promise<LabelledImages> {
  switch (of.format) {
    case "cub200":
      return await readCub200(folder, of.split);
    case "cifar100":
      return await readCifar100(folder, of.split);
    case "imagenet": {
      const { split, view } = of;
      if (view === undefined) return await readImageNet(folder, split);
      const only = view.classes.map(({ id }) => id);
      return viewOfClasses(await readImageNet(folder, split, { only }), view);
    }
  }
}

/**
 * The images of a dataset that can be read. Under the policy `fail` these are all: when a model meets
 * one that cannot be read, the run stops and tells of all of them. Under `skip` each is decoded once
 * to find out.
 */
export const readableKind = artifactKind<
  { readonly files: DatasetFiles },
  {
    readonly of: ImagesOf;
    readonly policy: DatasetConfig["unreadable"];
    readonly decoder?: string;
  },
  null,
  ReadableImages
>({
  name: "readable",
  version: 1,
  codec: jsonCodec(),
  compute: async (node, { need, onProgress }) => {
    const { of, policy } = node.inputs;
    const images = await openImages(of, await need(node, "files"));
    const all = images.ids.map((_, index) => index);
    if (policy === "fail") return { indices: all, unreadable: [] };
    let done = 0;
    const { readable, unreadable } = await checkImages(images, all, {
      unreadable: policy,
      onImage: () => onProgress(++done, all.length),
    });
    return { indices: [...readable], unreadable };
  },
});

/** The classes of a dataset in the order of a model's logits. */
export const classesKind = artifactKind<
  { readonly files: DatasetFiles },
  { readonly of: LabelledOf },
  null,
  LabelledImages["classes"]
>({
  name: "classes",
  isCheck: true,
  version: 1,
  codec: jsonCodec(),
  compute: async (node, { need }) =>
    (await openLabelled(node.inputs.of, await need(node, "files"))).classes,
});

/** The classes of a dataset as they are listed, without its images. */
export const listedClassesKind = artifactKind<
  Record<never, never>,
  { readonly list: "imagenet" },
  null,
  LabelledImages["classes"]
>({
  name: "listed_classes",
  version: 1,
  codec: jsonCodec(),
  compute: () => Promise.resolve([...ilsvrc2012Classes()].map(([id, name]) => ({ id, name }))),
});
