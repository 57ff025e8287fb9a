import type { DatasetConfig } from "../../config/mod.ts";
import {
  ilsvrc2012Classes,
  readBroden,
  readImageFolder,
  readImageNet,
} from "../../datasets/mod.ts";
import { checkImages, type ImageSet, type LabelledImages } from "../../images/mod.ts";
import { artifactKind, jsonCodec } from "../stage.ts";
import type { DatasetFiles } from "./files.ts";

/** Which images of a dataset. */
export type ImagesOf =
  | { readonly format: "broden" }
  | { readonly format: "imagenet"; readonly split: "train" | "val" }
  | { readonly format: "folder" };

/** Which images of a dataset take part. */
export interface ReadableImages {
  readonly indices: readonly number[];
  /** The images that were left out because they cannot be read, by name. */
  readonly unreadable: readonly { readonly id: string; readonly reason: string }[];
}

/** Opens the images of a dataset; nothing but names is held. */
export async function openImages(of: ImagesOf, { folder }: DatasetFiles): Promise<ImageSet> {
  switch (of.format) {
    case "broden":
      return (await readBroden(folder)).images;
    case "imagenet":
      return (await readImageNet(folder, of.split)).images;
    case "folder":
      return readImageFolder(folder);
  }
}

/** Opens the images of a dataset with their classes. */
export function openLabelled(
  of: Extract<ImagesOf, { readonly format: "imagenet" }>,
  { folder }: DatasetFiles,
): Promise<LabelledImages> {
  return readImageNet(folder, of.split);
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
  { readonly of: Extract<ImagesOf, { readonly format: "imagenet" }> },
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
