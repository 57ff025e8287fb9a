import { UserError } from "../files/mod.ts";

const imageFile = /\.(jpe?g|png|webp|gif|tiff?)$/i;

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
    for (const entry of Deno.readDirSync(path)) {
      if (entry.name.startsWith(".")) continue;
      if (imageFile.test(entry.name)) files.push(entry.name);
      else if (!entry.isFile && isFolder(entry, path)) folders.push(entry.name);
    }
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory)) {
      throw cause;
    }
    throw new UserError(
      `Cannot open ${dataset}: there is no folder ${path}. Give the folder into which the dataset ` +
        `was unpacked.`,
      { cause },
    );
  }
  return { folders: folders.sort(), files: files.sort() };
}

/** Datasets are often trees of links to shared disks. */
function isFolder(entry: Deno.DirEntry, path: string): boolean {
  return entry.isDirectory || Deno.statSync(`${path}/${entry.name}`).isDirectory;
}
