import { UserError } from "../files/mod.ts";
import { join } from "node:path";
import { type MatlabStruct, parseMatlab } from "./_matlab.ts";

/** The folder that ILSVRC2012_devkit_t12.tar.gz unpacks to. */
export const devkitFolder = "ILSVRC2012_devkit_t12";

/** What the devkit of ILSVRC 2012 says of the 1000 classes. */
export interface Devkit {
  /** Names by wnid, sorted by wnid. */
  readonly synsets: ReadonlyMap<string, string>;
  /** The wnid of each ILSVRC2012_ID, which is not the order of the wnids. */
  readonly wnids: ReadonlyMap<number, string>;
}

/**
 * Reads data/meta.mat of the devkit below `root`.
 *
 * @throws {UserError} when it is missing or malformed.
 */
export async function readDevkit(root: string): Promise<Devkit> {
  const path = join(root, devkitFolder, "data", "meta.mat");
  try {
    const synsets = parseMatlab(await Deno.readFile(path)).get("synsets");
    if (!Array.isArray(synsets)) throw new Error("it holds no struct array synsets");
    return devkitOf(synsets);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    throw new UserError(
      `Cannot open ImageNet: ${path} cannot be read (${reason}). Unpack the original ` +
        `${devkitFolder}.tar.gz in ${root} again.`,
      { cause },
    );
  }
}

/** Inner nodes of the hierarchy, which no image is labelled with, have children. */
function devkitOf(synsets: readonly MatlabStruct[]): Devkit {
  const leaves = synsets.filter(({ num_children }) => number(num_children) === 0);
  const rows = leaves.map(({ ILSVRC2012_ID, WNID, words }) => {
    const id = number(ILSVRC2012_ID);
    if (id === undefined || typeof WNID !== "string" || typeof words !== "string") {
      throw new Error("a synset lacks ILSVRC2012_ID, WNID or words");
    }
    return { id, WNID, words };
  }).sort((a, b) => a.WNID < b.WNID ? -1 : 1);
  return {
    synsets: new Map(rows.map(({ WNID, words }) => [WNID, words])),
    wnids: new Map(rows.map(({ id, WNID }) => [id, WNID])),
  };
}

function number(value: unknown): number | undefined {
  return Array.isArray(value) && typeof value[0] === "number" ? value[0] : undefined;
}

/**
 * The wnids of the validation images in the order of their file names, one a line of
 * ILSVRC2012_validation_ground_truth.txt.
 *
 * @throws {UserError} when the file is missing or holds something else than class numbers.
 */
export async function readGroundTruth(root: string, { wnids }: Devkit): Promise<readonly string[]> {
  const path = join(root, devkitFolder, "data", "ILSVRC2012_validation_ground_truth.txt");
  const text = await Deno.readTextFile(path).catch((cause) => {
    throw new UserError(
      `Cannot open ImageNet: there is no ${path}, which says the classes of the flat val folder. ` +
        `Unpack ${devkitFolder}.tar.gz in ${root}.`,
      { cause },
    );
  });
  return text.trimEnd().split(/\r?\n/).map((line, i) => {
    const wnid = wnids.get(Number(line));
    if (wnid !== undefined) return wnid;
    throw new UserError(
      `Cannot read line ${i + 1} of ${path}: "${line}" is no class of meta.mat. Unpack the ` +
        `original ${devkitFolder}.tar.gz in ${root} again.`,
    );
  });
}
