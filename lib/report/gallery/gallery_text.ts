import type { Level } from "../../experiment/mod.ts";
import { markdownTable } from "../_markdown_table.ts";
import type { GalleryCell, ResultGallery, ShownConcept } from "../result.ts";
import {
  attentionSentence,
  byImage,
  classNameIn,
  correctedLine,
  countsOf,
  formatGain,
  formatLogit,
  ruleOf,
  titledCells,
} from "./_words.ts";

/** The blocks of a gallery's table.md. */
export function galleryBlocks(result: ResultGallery): string[] {
  return [
    `[The gallery as a page](gallery.html)`,
    ruleOf(result),
    ...titledCells(result).flatMap(({ title, cell }) => [
      ...title === "" ? [] : [`## ${title}`],
      countsOf({ cell }),
      ...cellBlocks(cell, result),
    ]),
  ];
}

function cellBlocks(cell: GalleryCell, result: ResultGallery): string[] {
  if (cell.status === "not run") return [];
  if (cell.of === "activations") {
    const of = (shown: ShownConcept["most"]) =>
      shown.map(({ value }) => formatLogit(value)).join(", ");
    const pictures = byImage(cell.exhibit.pictures);
    const lines = cell.concepts.map((concept) => [
      concept.name,
      of(concept.most),
      `${
        concept.most.filter(({ image }) => pictures.get(image)!.class === concept.class).length
      } of ${concept.most.length}`,
      of(concept.least),
    ]);
    return [markdownTable([["Concept", "most activated", "of its class", "least"], ...lines])];
  }
  if (cell.corrected.length === 0) return [];
  const lines = cell.corrected.map(({ image, class: own, mistakenFor, before, after, gain }) => [
    image,
    classNameIn(cell.exhibit, own),
    classNameIn(cell.exhibit, mistakenFor),
    `${formatLogit(before.own)}, ${formatLogit(before.mistaken)}`,
    `${formatLogit(after.own)}, ${formatLogit(after.mistaken)}`,
    formatGain(gain),
  ]);
  const header = ["Image", "class", "taken for", "both logits before", "after", "gain"];
  return [markdownTable([header, ...lines]), attentionSentence(result)!];
}

/** A gallery as lines of text for a terminal. */
export function galleryLines(result: ResultGallery): string[] {
  return titledCells(result).flatMap(({ title, cell }) => [
    ...title === "" ? [] : [title],
    ...cellLines(cell),
    countsOf({ cell }),
  ]);
}

function cellLines(cell: GalleryCell): string[] {
  if (cell.status === "not run") return [];
  if (cell.of === "corrections") {
    return cell.corrected.map((image) => correctedLine(image, cell.exhibit));
  }
  return cell.concepts.map(({ name, most, least }) => {
    const of = (shown: ShownConcept["most"]) =>
      shown.map(({ value }) => formatLogit(value)).join(" ");
    return `${name}: most ${of(most)}, least ${of(least)}`;
  });
}

/** What a gallery says, in sentences of markdown. */
export function describeGallery(result: ResultGallery): string[] {
  return titledCells(result).map(({ title, cell }) =>
    `${title === "" ? "" : `**${title}**: `}${countsOf({ cell })}`
  );
}

/** A gallery in long form: one row for each activation, or for each corrected image. */
export function galleryRows({ rows }: ResultGallery): Readonly<Record<string, Level>>[] {
  return rows.flatMap(({ levels, cell }): Readonly<Record<string, Level>>[] => {
    if (cell.status === "not run") return [];
    if (cell.of === "corrections") {
      return cell.corrected.map(({ before, after, mistakenFor, class: own, image, gain }) => ({
        ...levels,
        image,
        class: own,
        mistaken_for: mistakenFor,
        logit_before: before.own,
        mistaken_logit_before: before.mistaken,
        logit_after: after.own,
        mistaken_logit_after: after.mistaken,
        gain,
      }));
    }
    const pictures = byImage(cell.exhibit.pictures);
    return cell.concepts.flatMap(({ name, class: own, most, least }) =>
      ([["most", most], ["least", least]] as const).flatMap(([end, shown]) =>
        shown.map(({ image, value }, i) => ({
          ...levels,
          concept: name,
          class: own,
          end,
          rank: i + 1,
          image,
          image_class: pictures.get(image)!.class,
          activation: value,
        }))
      )
    );
  });
}
