import type { Levels } from "./factors.ts";

/** One measured value: a row of runs.csv and runs.arrow. */
export interface Run {
  /** The level of every factor of the experiment. */
  readonly levels: Levels;
  readonly measure: string;
  readonly concept: string;
  /** The class of a measure over pairs of concept and class, else "". */
  readonly class: string;
  /** The image of a measure over images, else "". */
  readonly image: string;
  /** In the unit of the measure. */
  readonly value: number;
  /** How much the value counts in a mean: of an accuracy over images their number, else 1. */
  readonly weight: number;
  readonly status: "measured";
}
