import type { CorrectionExhibit, Picture } from "../../experiment/mod.ts";
import { headingTitle, varyingFactors } from "../_factors.ts";
import type { CorrectedImage, GalleryCell, ResultGallery } from "../result.ts";

/** How the pictures were chosen, in a sentence made from the experiment's settings. */
export function ruleOf({ show }: Pick<ResultGallery, "show">): string {
  if (show.as !== "gallery") throw new TypeError(`A gallery that shows ${show.as}.`);
  return show.of === "activations"
    ? `Concepts: ${show.concepts}, evenly spaced in the order of the dataset's classes. Images: of ` +
      `each concept the ${show.images} test images of the greatest activation and the ` +
      `${show.images} of the least; the activation is the cosine of CAV and feature. Framed: images ` +
      `of the concept's own class.`
    : `Images: of the test images that the uncorrected model gets wrong and the corrected one right ` +
      `the ${show.images} whose margin grew most, at most ${show.perClass} of a class; the margin is ` +
      `the logit of the image's class minus that of the class that was predicted before.`;
}

/** How Grad-CAM is drawn; undefined where none is. */
export function attentionSentence({ show }: Pick<ResultGallery, "show">): string | undefined {
  if (show.as !== "gallery" || show.of !== "corrections") return undefined;
  return `Colour: Grad-CAM of a logit at the last map of ${show.cells} × ${show.cells} cells or more, ` +
    `from nothing over red to light yellow; the four maps of an image share their scale.`;
}

/** The same as a whole: how many images there were, and what correction did to them. */
export function countsOf({ cell }: { readonly cell: GalleryCell }): string {
  if (cell.status === "not run") return "Not run.";
  if (cell.of === "activations") {
    const { images, from } = cell.exhibit;
    return `${images} test images; ${from} concepts to choose from.`;
  }
  const { images, wrongBefore, wrongAfter, corrected, broken } = cell.exhibit;
  const counts =
    `Of ${images} test images the uncorrected model gets ${wrongBefore} wrong and the ` +
    `corrected one ${wrongAfter}: ${corrected} that were wrong are right, ${broken} that were right ` +
    `are wrong.`;
  return corrected === 0 ? `${counts} Nothing was corrected, so no image is shown.` : counts;
}

/** The cells of a gallery with a title each, "" where there is one cell only. */
export function titledCells(result: ResultGallery) {
  const { rows, factors } = result;
  const names = varyingFactors({ factors, show: result.show });
  return rows.map(({ levels, title, cell }) => ({
    cell,
    title: rows.length === 1
      ? ""
      : names.length === 0
      ? title
      : headingTitle(levels, { names, factors }).title,
  }));
}

/** Pictures by their image. */
export function byImage<P extends Picture>(pictures: readonly P[]): ReadonlyMap<string, P> {
  return new Map(pictures.map((picture) => [picture.image, picture]));
}

/** What a class of an exhibit is called. */
export function classNameIn({ classes }: CorrectionExhibit, id: string): string {
  return classes.find((one) => one.id === id)?.name ?? id;
}

/** An activation or a logit: two decimals tell the images of a gallery apart. */
export const formatLogit = (value: number) => value.toFixed(2).replace("-", "−");

/** A gain with its sign. */
export const formatGain = (value: number) => `${value < 0 ? "" : "+"}${formatLogit(value)}`;

/** A corrected image in a line of text. */
export function correctedLine(
  image: CorrectedImage,
  exhibit: CorrectionExhibit,
): string {
  const { before, after, gain } = image;
  const [own, other] = [image.class, image.mistakenFor].map((id) => classNameIn(exhibit, id));
  return `image ${image.image}, ${own}, was taken for ${other}: logits ${
    formatLogit(before.own)
  } ` +
    `and ${formatLogit(before.mistaken)} before, ${formatLogit(after.own)} and ` +
    `${formatLogit(after.mistaken)} after, gain ${formatGain(gain)}`;
}

/** Where a map is strongest, in words, for those who do not see it. */
export function strongestPlace(map: readonly (readonly number[])[]): string {
  const values = map.flat();
  const greatest = Math.max(...values);
  if (!(greatest > 0)) return "nowhere";
  const at = values.indexOf(greatest);
  const [rows, columns] = [map.length, map[0]!.length];
  const third = (index: number, count: number) => Math.floor((3 * (index + 0.5)) / count);
  const down = ["at the top", "in the middle", "at the bottom"][
    third(
      Math.floor(at / columns),
      rows,
    )
  ]!;
  const across = ["left", "centre", "right"][third(at % columns, columns)]!;
  return `${down} ${across}`;
}
