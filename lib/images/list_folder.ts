import { join } from "node:path";
import { readFolder, UserError, walkFiles } from "../files/mod.ts";

/** Image files by their endings; those of formats that are not read are listed to be named. */
const imageFile = /\.(jpe?g|jpe|jfif|a?png|webp|gif|tiff?|bmp|p[bgnp]m|jp2|j2k|jxl|avif|hei[cf])$/i;

/** The names in a folder, sorted by code units: its folders and its image files. */
export interface Listing {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

/**
 * Lists a folder once; names that start with a dot and files that are no images are left out.
 *
 * @throws {UserError} when there is no such folder, naming `dataset`.
 */
export function listFolder(path: string, { dataset }: { readonly dataset: string }): Listing {
  const folders: string[] = [];
  const files: string[] = [];
  try {
    for (const { name, kind } of readFolder(path)) {
      if (name.startsWith(".")) continue;
      if (imageFile.test(name)) files.push(name);
      else if (kind === "folder" || (kind === "link" && isFolder(join(path, name)))) {
        folders.push(name);
      }
    }
  } catch (cause) {
    throw asMissingFolder(cause, { path, dataset });
  }
  return { folders, files };
}

/**
 * The image files below a folder as {@linkcode walkFiles} finds them, sorted by path; what starts
 * with a dot is left out.
 *
 * @throws {UserError} when there is no such folder, naming `dataset`.
 */
export async function imagesBelow(
  root: string,
  { dataset }: { readonly dataset: string },
): Promise<readonly string[]> {
  const images: string[] = [];
  try {
    for await (const path of walkFiles(root)) {
      if (imageFile.test(path) && !/(^|\/)\./.test(path)) images.push(path);
    }
  } catch (cause) {
    throw asMissingFolder(cause, { path: root, dataset });
  }
  return images;
}

/** Datasets are often trees of links to shared disks. */
function isFolder(link: string): boolean {
  try {
    return Deno.statSync(link).isDirectory;
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new UserError(
      `Listing a dataset: the link ${link} leads nowhere. Mend it, or remove it.`,
      { cause },
    );
  }
}

function asMissingFolder(
  cause: unknown,
  { path, dataset }: { readonly path: string; readonly dataset: string },
): unknown {
  const { NotFound, NotADirectory } = Deno.errors;
  if (!(cause instanceof NotFound || cause instanceof NotADirectory)) return cause;
  return new UserError(
    `Cannot open ${dataset}: there is no folder ${path}. Give the folder into which the dataset ` +
      `was unpacked.`,
    { cause },
  );
}
