import { UserError } from "../files/mod.ts";
import { join } from "node:path";
import { readTextFile } from "./_table_file.ts";
import { imageFiles, type LabelledImages } from "../images/mod.ts";

/**
 * Opens CUB-200-2011 (Wah et al. 2011) with its official split: images.txt, image_class_labels.txt,
 * train_test_split.txt, classes.txt and images/ below `root`. Images are sorted by path.
 *
 * @throws {UserError} naming the file, and the image or class that another file lacks.
 */
export async function readCub200(root: string, split: "train" | "test"): Promise<LabelledImages> {
  const [paths, classOf, isTraining, names] = await Promise.all([
    readColumn(root, "images.txt"),
    readColumn(root, "image_class_labels.txt"),
    readColumn(root, "train_test_split.txt"),
    readColumn(root, "classes.txt"),
  ]);
  const labelOf = new Map([...names.keys()].map((number, label) => [number, label]));
  const images = [...paths].flatMap(([number, path]) => {
    const label = labelOf.get(lookUp(classOf, number, { root, file: "image_class_labels.txt" }));
    if (label === undefined) {
      throw new UserError(
        `Cannot open CUB-200-2011: the class ${classOf.get(number)} of image ${number} is not in ` +
          `${join(root, "classes.txt")}. Restore the files from the original archive.`,
      );
    }
    const training = lookUp(isTraining, number, { root, file: "train_test_split.txt" }) === "1";
    return training === (split === "train") ? [{ path, label }] : [];
  }).sort((a, b) => a.path < b.path ? -1 : 1);
  return {
    images: imageFiles(`cub200/${split}`, {
      root: join(root, "images"),
      ids: images.map(({ path }) => path),
    }),
    classes: [...names.values()].map((id) => ({ id, name: nameOf(id) })),
    labels: Int32Array.from(images, ({ label }) => label),
  };
}

/** `001.Black_footed_Albatross` as words. */
function nameOf(id: string): string {
  return id.replace(/^\d+\./, "").replaceAll("_", " ");
}

/** The second column by the first, which numbers images or classes. */
async function readColumn(root: string, file: string): Promise<ReadonlyMap<string, string>> {
  const column = new Map<string, string>();
  const text = await readTextFile(root, { file, dataset: "CUB-200-2011" });
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const match = /^(\d+) (\S.*?)\s*$/.exec(line);
    if (match === null) {
      throw new UserError(
        `Cannot read line ${i + 1} of ${
          join(root, file)
        }: it is "${line}", not a number, a space ` +
          `and a value. Restore the file from the original archive.`,
      );
    }
    column.set(match[1]!, match[2]!);
  }
  return column;
}

function lookUp(
  column: ReadonlyMap<string, string>,
  number: string,
  { root, file }: { readonly root: string; readonly file: string },
): string {
  const value = column.get(number);
  if (value !== undefined) return value;
  throw new UserError(
    `Cannot open CUB-200-2011: ${join(root, file)} has no line for image ${number}. Restore the ` +
      `files from the original archive.`,
  );
}
