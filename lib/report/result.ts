import type { ActivationExhibit, CorrectionExhibit } from "../experiment/mod.ts";
import type { Comparison } from "./comparison.ts";
import type { Contrast } from "./contrasts.ts";
import type { Heading, ResultSpec } from "./result_spec.ts";

/** A measured cell. */
export interface MeasuredCell {
  readonly status: "measured";
  /**
   * Mean over seeds of the mean over concepts (or pairs, or images) by their weights, or of the least
   * value where the measure says so.
   */
  readonly mean: number;
  /** Standard deviation over seeds, n - 1; null for one seed. */
  readonly std: number | null;
  /** Bootstrap interval of the mean over concepts; null of a least value, which has none. */
  readonly low: number | null;
  readonly high: number | null;
  /** Number of concepts. */
  readonly concepts: number;
  /** Number of values of one seed: concepts, pairs or images. */
  readonly values: number;
  /** This cell minus the nearest measured one before it on the compared factor; null in the first. */
  readonly against: Comparison | null;
}

/** A number that the paper quotes from another paper. */
export interface QuotedCell {
  readonly status: "quoted";
  readonly mean: number;
}

/** A cell of which there is no run. */
export interface NotRunCell {
  readonly status: "not run";
}

/** What a table has in one row and column. */
export type Cell = MeasuredCell | QuotedCell | NotRunCell;

/** The version of a table's table.json; raised when a field changes its meaning. */
export const tableVersion = 4;

/** A table, or lines in the form of a table; it describes itself, table.json holds it as it is. */
export interface ResultTable extends Omit<ResultSpec, "rows" | "beside"> {
  readonly schema: "lg-cav/result-table";
  readonly version: typeof tableVersion;
  readonly seeds: readonly number[];
  readonly rows: readonly (Heading & {
    /** One for each column, in its order. */
    readonly cells: readonly Cell[];
  })[];
  /** What differs from what, pooled and cell by cell; contrasts.json holds it apart. */
  readonly tested?: readonly Contrast[];
  /** The tables that stand below. */
  readonly beside?: readonly ResultTable[];
}

/** The values of one series of a panel, counted. */
export interface Histogram {
  readonly status: "measured";
  /** Number of values, of all concepts, images and seeds. */
  readonly values: number;
  readonly mean: number;
  /** Population standard deviation: with the mean, the Gaussian that is fitted. */
  readonly deviation: number;
  /** One more than there are bins, ascending; a bin holds its lower edge, the last one both. */
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

/** The version of a histogram's table.json; raised when a field changes its meaning. */
export const histogramVersion = 2;

/** Histograms; they describe themselves, table.json holds them as they are. */
export interface ResultHistogram extends Omit<ResultSpec, "rows" | "beside"> {
  readonly schema: "lg-cav/result-histogram";
  readonly version: typeof histogramVersion;
  readonly seeds: readonly number[];
  readonly rows: readonly (Heading & { readonly histogram: Histogram | NotRunCell })[];
}

/** An activation of a gallery: whose picture it is of, and how much. */
export interface ShownActivation {
  readonly image: string;
  readonly value: number;
}

/** A concept of a gallery, with its most and its least activated images, the extreme one first. */
export interface ShownConcept {
  readonly name: string;
  /** What was asked of the VL model. */
  readonly text: string;
  /** The id of its class. */
  readonly class: string;
  readonly most: readonly ShownActivation[];
  readonly least: readonly ShownActivation[];
}

/** Two logits of an image: of its own class, and of the one that was predicted before. */
export interface LogitPair {
  readonly own: number;
  readonly mistaken: number;
}

/** An image that a correction turned from wrong to right. */
export interface CorrectedImage {
  readonly image: string;
  /** The ids of its class and of the one that was predicted before. */
  readonly class: string;
  readonly mistakenFor: string;
  readonly before: LogitPair;
  readonly after: LogitPair;
  /** How much the difference of the two logits grew. */
  readonly gain: number;
}

/** What a cell of a gallery shows; its pictures are in the exhibit. */
export type GalleryCell =
  | NotRunCell
  | {
    readonly status: "measured";
    readonly of: "activations";
    readonly concepts: readonly ShownConcept[];
    readonly exhibit: ActivationExhibit;
  }
  | {
    readonly status: "measured";
    readonly of: "corrections";
    /** By gain, the greatest first. */
    readonly corrected: readonly CorrectedImage[];
    readonly exhibit: CorrectionExhibit;
  };

/** The version of a gallery's table.json; raised when a field changes its meaning. */
export const galleryVersion = 1;

/** Galleries of pictures; they describe themselves, table.json holds them as they are. */
export interface ResultGallery extends Omit<ResultSpec, "rows" | "beside"> {
  readonly schema: "lg-cav/result-gallery";
  readonly version: typeof galleryVersion;
  readonly seeds: readonly number[];
  readonly rows: readonly (Heading & { readonly cell: GalleryCell })[];
}

/** What a figure of bars, lines or histograms shows. */
export type PlottedResult = ResultTable | ResultHistogram;

/** What runs are folded into. */
export type Result = PlottedResult | ResultGallery;
