import { basename, join } from "node:path";
import { UserError } from "../files/mod.ts";
import {
  imageFiles,
  imagesBelow,
  type ImageSet,
  type LabelledImages,
  listFolder,
} from "../images/mod.ts";

/**
 * The image files of a folder and of the folders below it, sorted by path, without classes.
 *
 * @throws {UserError} when there is no such folder or no image in it.
 */
export async function readImageFolder(root: string): Promise<ImageSet> {
  const name = basename(root);
  const ids = await imagesBelow(root, { dataset: name });
  if (ids.length === 0) throw noImages(name, root);
  return imageFiles(name, { root, ids });
}

/**
 * A folder with one folder of images per class (torchvision's ImageFolder): classes are the sorted
 * folder names. Each folder is listed once; nothing but names is held.
 *
 * @param options.classNames the words for a class by its folder name; the folder name otherwise.
 * @throws {UserError} when the folder is not there or has no class folders or no images.
 */
export function readClassFolders(
  root: string,
  options: { readonly name: string; readonly classNames?: ReadonlyMap<string, string> },
): LabelledImages {
  const { name, classNames } = options;
  const { folders } = listFolder(root, { dataset: name });
  const ids: string[] = [];
  const labels: number[] = [];
  for (const [label, folder] of folders.entries()) {
    for (const file of listFolder(join(root, folder), { dataset: name }).files) {
      ids.push(`${folder}/${file}`);
      labels.push(label);
    }
  }
  if (ids.length === 0) throw noImages(name, root);
  return {
    images: imageFiles(name, { root, ids }),
    classes: folders.map((id) => ({ id, name: classNames?.get(id) ?? id })),
    labels: Int32Array.from(labels),
  };
}

function noImages(name: string, root: string): UserError {
  return new UserError(
    `Cannot open ${name}: ${root} holds no JPEG, PNG, WebP, GIF or TIFF files. Give the folder ` +
      `into which the dataset was unpacked.`,
  );
}
