import { join } from "node:path";
import { fileHash, sha256, UserError, writeFileAtomically } from "../files/mod.ts";
import { type Drawing, renderPictures } from "../report/mod.ts";

/** The files of a result that a browser may draw from. */
export interface Drawable {
  readonly folder: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** What a browser draws of a result: of a gallery, whose drawing is there, the PNG alone. */
function picturesOf({ files }: Drawable): { readonly from: string; readonly names: string[] } {
  return files.has("figure.json")
    ? { from: "figure.json", names: ["figure.svg", "figure.png"] }
    : { from: "figure.svg", names: ["figure.png"] };
}

/** Pictures are drawn anew when what they show has changed or one of them is missing. */
export async function isUndrawn(result: Drawable): Promise<boolean> {
  const { from, names } = picturesOf(result);
  const { folder, files } = result;
  if (await fileHash(join(folder, from)) !== sha256(files.get(from)!)) return true;
  for (const name of names) {
    if (await fileHash(join(folder, name)) === "missing") return true;
  }
  return false;
}

/**
 * Draws the pictures of results, all by one start of a browser.
 *
 * @param options.onNoBrowser told how to get them, when there is no browser.
 * @returns the names of the files that were written, by folder.
 */
export async function drawPictures(
  results: readonly Drawable[],
  { scratch, onNoBrowser }: {
    readonly scratch: string;
    readonly onNoBrowser: (sentence: string) => void;
  },
): Promise<ReadonlyMap<string, readonly string[]>> {
  const drawings = results.map((result): Drawing => {
    const { from } = picturesOf(result);
    const text = new TextDecoder().decode(result.files.get(from));
    return from === "figure.json" ? JSON.parse(text) : text;
  });
  try {
    const drawn = await renderPictures(drawings, { scratch });
    const written = new Map<string, readonly string[]>();
    for (const [i, result] of results.entries()) {
      const { names } = picturesOf(result);
      for (const name of names) {
        const picture = drawn[i]![name === "figure.svg" ? "svg" : "png"];
        await writeFileAtomically(join(result.folder, name), picture);
      }
      written.set(result.folder, names);
    }
    return written;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    onNoBrowser(error.message);
    return new Map();
  }
}
