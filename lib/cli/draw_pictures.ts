import { join } from "node:path";
import { fileHash, sha256, UserError, writeFileAtomically } from "../files/mod.ts";
import { renderDrawings, renderFigures } from "../report/mod.ts";

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
 * Draws the pictures of results, all by few starts of a browser.
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
  const isGallery = (result: Drawable) => picturesOf(result).from === "figure.svg";
  const [figures, galleries] = [
    results.filter((one) => !isGallery(one)),
    results.filter(isGallery),
  ];
  const textOf = ({ files }: Drawable, name: string) => new TextDecoder().decode(files.get(name));
  try {
    const ofFigures = await renderFigures(
      figures.map((result) => JSON.parse(textOf(result, "figure.json"))),
      { scratch },
    );
    const ofGalleries = await renderDrawings(
      galleries.map((result) => textOf(result, "figure.svg")),
      { scratch },
    );
    for (const [i, { svg, png }] of ofFigures.entries()) {
      const { folder } = figures[i]!;
      await writeFileAtomically(join(folder, "figure.svg"), svg);
      await writeFileAtomically(join(folder, "figure.png"), png);
    }
    for (const [i, png] of ofGalleries.entries()) {
      await writeFileAtomically(join(galleries[i]!.folder, "figure.png"), png);
    }
    return new Map(results.map((result) => [result.folder, picturesOf(result).names]));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    onNoBrowser(error.message);
    return new Map();
  }
}
