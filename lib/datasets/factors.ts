import { UserError } from "../files/mod.ts";
import { parseTable, readTextFile } from "./_table_file.ts";

/** What images are called in the factors.csv of each format, by their ids. */
const rowNames = {
  imagenet: (split: string, id: string) => `${split}/${id}`,
  cub200: (_: string, id: string) => `images/${id}`,
  // Records are counted without leading zeros.
  cifar100: (split: string, id: string) => `${split}/${Number(id.slice(split.length + 1))}`,
};

/**
 * The scene of each image of a split, in the order of `ids`, from the columns `image` and `scene` of
 * factors.csv below `root`: the file with the truth about every image that the world writes.
 *
 * @throws {UserError} when there is no such file or column, or an image has no scene in it.
 */
export async function readScenes(
  root: string,
  { format, split, ids }: {
    readonly format: keyof typeof rowNames;
    readonly split: string;
    readonly ids: readonly string[];
  },
): Promise<string[]> {
  const file = { file: "factors.csv", dataset: "the scenes of images" };
  const path = `${root}/factors.csv`;
  const { rows } = parseTable(await readTextFile(root, file), {
    path,
    columns: ["image", "scene"],
  });
  const sceneOf = new Map(
    rows.map(({ cells }) => [cells.get("image")!, cells.get("scene")!]),
  );
  return ids.map((id) => {
    const scene = sceneOf.get(rowNames[format](split, id));
    if (scene) return scene;
    throw new UserError(
      `${path} says no scene of the image ${id}, by which images are grouped. Add it, or measure ` +
        `and train what needs no groups.`,
    );
  });
}
