import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../files/mod.ts";
import { imageFiles, type LabelledImages, listFolder } from "../images/mod.ts";
import { ilsvrc2012Classes, readGroundTruth } from "./_ilsvrc2012.ts";
import { readTextFile } from "./_table_file.ts";

const mappingFile = "LOC_synset_mapping.txt";

/**
 * Opens a split of ImageNet (ILSVRC 2012) below `root`: `train/<wnid>/*.JPEG`, and `val/` either so
 * or as the original flat folder, whose classes the devkit's ground truth says. The classes are all
 * those of LOC_synset_mapping.txt where there is one, else the 1000 of ILSVRC 2012, sorted by wnid,
 * which is the order of the models' logits. Each folder is listed once; nothing but names is held.
 *
 * @param options.only reads the images of these wnids alone; labels stay positions among all.
 * @throws {UserError} naming what is missing, or the folder that is no class.
 */
export async function readImageNet(
  root: string,
  split: "train" | "val",
  options: { readonly only?: readonly string[] } = {},
): Promise<LabelledImages> {
  const isListed = existsSync(join(root, mappingFile));
  const synsets = isListed ? await readMapping(root) : ilsvrc2012Classes();
  const wnids = [...synsets.keys()];
  const only = options.only ?? wnids;
  checkKnown(only, synsets, root);
  const folder = join(root, split);
  const top = listFolder(folder, { dataset: "ImageNet" });
  const files = top.folders.length === 0 && top.files.length > 0
    ? await flatFiles(root, folder, { names: top.files, only })
    : classFolders(folder, { folders: top.folders, synsets, only });
  const labelOf = new Map(wnids.map((wnid, label) => [wnid, label]));
  return {
    images: imageFiles(`imagenet/${split}`, { root: folder, ids: files.ids }),
    classes: [...synsets].map(([id, name]) => ({ id, name })),
    labels: Int32Array.from(files.wnids, (wnid) => labelOf.get(wnid)!),
  };
}

interface Files {
  readonly ids: readonly string[];
  /** The class of each. */
  readonly wnids: readonly string[];
}

function classFolders(
  folder: string,
  { folders, synsets, only }: {
    readonly folders: readonly string[];
    readonly synsets: ReadonlyMap<string, string>;
    readonly only: readonly string[];
  },
): Files {
  const stranger = folders.find((name) => !synsets.has(name));
  if (stranger !== undefined) {
    throw new UserError(
      `Cannot open ImageNet: ${
        join(folder, stranger)
      } is none of the ${synsets.size} classes. Move ` +
        `the folder away, or list all classes in ${mappingFile}.`,
    );
  }
  const ids: string[] = [];
  const wnids: string[] = [];
  for (const wnid of [...only].sort()) {
    for (const file of listFolder(join(folder, wnid), { dataset: "ImageNet" }).files) {
      ids.push(`${wnid}/${file}`);
      wnids.push(wnid);
    }
  }
  if (ids.length === 0) {
    throw new UserError(
      `Cannot open ImageNet: the class folders of ${folder} hold no images. Unpack the archives ` +
        `of the classes in it.`,
    );
  }
  return { ids, wnids };
}

/** ILSVRC2012_val_00000001.JPEG and on: sorted, their order is that of the ground truth. */
async function flatFiles(
  root: string,
  folder: string,
  { names, only }: { readonly names: readonly string[]; readonly only: readonly string[] },
): Promise<Files> {
  const truth = await readGroundTruth(root);
  if (truth.length !== names.length) {
    throw new UserError(
      `Cannot open ImageNet: ${folder} holds ${names.length} images, the ground truth has ` +
        `${truth.length} lines. Unpack the original archive there again.`,
    );
  }
  const wanted = new Set(only);
  const kept = names.map((_, i) => i).filter((i) => wanted.has(truth[i]!));
  return { ids: kept.map((i) => names[i]!), wnids: kept.map((i) => truth[i]!) };
}

function checkKnown(
  only: readonly string[],
  synsets: ReadonlyMap<string, string>,
  root: string,
): void {
  const unknown = only.find((wnid) => !synsets.has(wnid));
  if (unknown === undefined) return;
  throw new UserError(
    `Cannot open ImageNet: the class ${unknown} that the config asks for is not among the ` +
      `${synsets.size} classes of ${root}. Correct the config.`,
  );
}

/** Reads `<wnid> <name>, <synonym>, ...` a line; names by wnid, sorted by wnid. */
async function readMapping(root: string): Promise<ReadonlyMap<string, string>> {
  const text = await readTextFile(root, { file: mappingFile, dataset: "ImageNet" });
  const synsets = new Map<string, string>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const match = /^(n\d{8}) (.+)$/.exec(line);
    if (match === null) {
      throw new UserError(
        `Cannot read line ${i + 1} of ${join(root, mappingFile)}: it is "${line}", not a wnid ` +
          `such as n01440764, a space and the class's names. Restore the original file.`,
      );
    }
    synsets.set(match[1]!, match[2]!);
  }
  return new Map([...synsets].sort(([a], [b]) => a < b ? -1 : 1));
}
