import {
  type ActivationExhibit,
  type CorrectionExhibit,
  type Exhibit,
  type Levels,
  type Run,
} from "../../experiment/mod.ts";
import {
  type CorrectedImage,
  type GalleryCell,
  galleryVersion,
  type LogitPair,
  type ResultGallery,
  type ShownConcept,
} from "../result.ts";
import type { ResultSpec } from "../result_spec.ts";

/** What the cell of some levels shows besides its runs. */
export interface CellExhibit {
  readonly levels: Levels;
  readonly exhibit: Exhibit;
}

/**
 * Folds the runs and exhibits of cells into galleries: each concept's images by their activation, or
 * corrected images by the gain of their margin. The order of the runs does not matter.
 *
 * @throws {Error} when a run has no picture or a value is not finite, or a picture lacks a run: such a
 * gallery would not be what it says.
 */
export function foldGallery(
  { runs, exhibits }: { readonly runs: readonly Run[]; readonly exhibits: readonly CellExhibit[] },
  spec: ResultSpec,
): ResultGallery {
  const { rows, ...about } = spec;
  const names = spec.factors.map(({ name }) => name).filter((name) => name !== "measure");
  const isAt = (levels: Levels, row: Levels) => names.every((name) => levels[name] === row[name]);
  // A cell that shows no image has no runs, and its seed all the same.
  const seeds = new Set(exhibits.map(({ levels }) => Number(levels["seed"])));
  return {
    schema: "lg-cav/result-gallery",
    version: galleryVersion,
    ...about,
    seeds: [...seeds].sort((a, b) => a - b),
    rows: rows.map((row) => {
      const exhibit = exhibits.find(({ levels }) => isAt(levels, row.levels))?.exhibit;
      const name = `${spec.id}${row.title === "" ? "" : `, ${row.title}`}`;
      const own = runs.filter(({ levels }) => isAt(levels, row.levels));
      return {
        ...row,
        cell: exhibit === undefined ? notRun : cellOf(exhibit, { runs: own, name }),
      };
    }),
  };
}

const notRun = { status: "not run" } as const;

interface CellRuns {
  readonly runs: readonly Run[];
  /** For messages. */
  readonly name: string;
}

function cellOf(exhibit: Exhibit, { runs, name }: CellRuns): GalleryCell {
  const pictured = new Set(exhibit.pictures.map(({ image }) => image));
  const wrong = runs.find(({ image, value }) => !pictured.has(image) || !Number.isFinite(value));
  const measured = new Set(runs.map(({ image }) => image));
  const unmeasured = [...pictured].find((image) => !measured.has(image));
  if (wrong !== undefined || unmeasured !== undefined) {
    throw new Error(
      `Hanging ${name}: ` +
        (wrong === undefined
          ? `the picture of image ${unmeasured} has no value.`
          : `image ${wrong.image} has the value ${wrong.value} and ${
            pictured.has(wrong.image) ? "a" : "no"
          } picture; each has both.`) +
        ` Make it again.`,
    );
  }
  return exhibit.of === "activations"
    ? { status: "measured", of: exhibit.of, concepts: conceptsOf(exhibit, runs), exhibit }
    : {
      status: "measured",
      of: exhibit.of,
      corrected: correctedOf(exhibit, { runs, name }),
      exhibit,
    };
}

/** By concept the half of its images that it activates most, and the other, the extreme one first. */
function conceptsOf({ concepts }: ActivationExhibit, runs: readonly Run[]): ShownConcept[] {
  const byConcept = Map.groupBy(runs, ({ concept }) => concept);
  return concepts.map((concept) => {
    const images = (byConcept.get(concept.name) ?? [])
      .map(({ image, value }) => ({ image, value }))
      .sort((a, b) => b.value - a.value || Number(a.image) - Number(b.image));
    const half = Math.ceil(images.length / 2);
    return { ...concept, most: images.slice(0, half), least: images.slice(half).reverse() };
  });
}

function correctedOf({ pictures }: CorrectionExhibit, { runs, name }: CellRuns): CorrectedImage[] {
  const byImage = Map.groupBy(runs, ({ image }) => image);
  return pictures.map(({ image, class: own }) => {
    const ofImage = byImage.get(image)!;
    const mistaken = ofImage.find((run) => run.class !== own)?.class;
    const logit = (measure: string, of: string | undefined) => {
      const run = ofImage.find((run) => run.measure === measure && run.class === of);
      if (run !== undefined) return run.value;
      throw new Error(`Hanging ${name}: image ${image} has no ${measure} of ${of ?? "a mistake"}.`);
    };
    const pair = (measure: string): LogitPair => ({
      own: logit(measure, own),
      mistaken: logit(measure, mistaken),
    });
    const [before, after] = [pair("logit_before"), pair("logit_after")];
    const gain = after.own - after.mistaken - (before.own - before.mistaken);
    return { image, class: own, mistakenFor: mistaken!, before, after, gain };
  }).sort((a, b) => b.gain - a.gain || Number(a.image) - Number(b.image));
}

/** The exhibits of a gallery, as {@linkcode foldGallery} took them. */
export function exhibitsIn({ rows }: ResultGallery): CellExhibit[] {
  return rows.flatMap(({ levels, cell }) =>
    cell.status === "measured" ? [{ levels, exhibit: cell.exhibit }] : []
  );
}
