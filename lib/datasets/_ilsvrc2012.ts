import { join } from "node:path";
import { readText, UserError } from "../files/mod.ts";
import published from "./_ilsvrc2012.json" with { type: "json" };

const groundTruthFile = "ILSVRC2012_validation_ground_truth.txt";

/** The 1000 classes of ILSVRC 2012: names by wnid, sorted by wnid. */
export function ilsvrc2012Classes(): ReadonlyMap<string, string> {
  return new Map(published.classes.map(({ wnid, names }) => [wnid, names]));
}

/**
 * The wnids of the validation images in the order of their file names. The devkit's
 * ILSVRC2012_validation_ground_truth.txt, below `root` in its folder or directly, gives them by
 * ILSVRC2012_ID, which is not the order of the wnids.
 *
 * @throws {UserError} when the file is missing or holds something else than class numbers.
 */
export async function readGroundTruth(root: string): Promise<readonly string[]> {
  const wnids = new Map(published.classes.map(({ id, wnid }) => [id, wnid]));
  const { path, text } = await findGroundTruth(root);
  return text.trimEnd().split(/\r?\n/).map((line, i) => {
    const wnid = wnids.get(Number(line));
    if (wnid !== undefined) return wnid;
    throw new UserError(
      `Cannot read line ${
        i + 1
      } of ${path}: "${line}" is no ILSVRC2012_ID from 1 to 1000. Restore ` +
        `the original file.`,
    );
  });
}

async function findGroundTruth(
  root: string,
): Promise<{ readonly path: string; readonly text: string }> {
  const places = [join(root, "ILSVRC2012_devkit_t12", "data"), root];
  for (const path of places.map((folder) => join(folder, groundTruthFile))) {
    const text = await readText(path).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    if (text !== undefined) return { path, text };
  }
  throw new UserError(
    `Cannot open ImageNet: there is no ${groundTruthFile} in ${root}, which says the classes of ` +
      `the flat val folder. Take it from the data folder of ILSVRC2012_devkit_t12.tar.gz.`,
  );
}
