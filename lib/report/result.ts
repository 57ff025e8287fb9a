import type { Comparison } from "./comparison.ts";

/** What a table shows: which runs, in which rows and columns. */
export interface TableSpec {
  readonly id: string;
  readonly title: string;
  readonly profile: string;
  readonly dataset: string;
  readonly metric: string;
  readonly unit: string;
  readonly columns: readonly { readonly backbone: string; readonly title: string }[];
  readonly rows: readonly RowSpec[];
  /** The paper's own table, where the profile is the paper's experiment; else null. */
  readonly paper: PaperTable | null;
}

/** A row of measured values, or of values that the paper quotes from elsewhere. */
export interface RowSpec {
  readonly method: string;
  readonly title: string;
  /** Quoted value of each backbone; such a row is never measured. */
  readonly quoted?: Readonly<Record<string, number>>;
}

/** The numbers that the paper prints: method, then backbone. */
export interface PaperTable {
  readonly source: string;
  readonly values: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** How intervals and p-values are computed; see docs/statistics.md. */
export interface StatisticsSettings {
  readonly confidence: number;
  readonly bootstrapResamples: number;
  readonly permutations: number;
  readonly seed: number;
}

/** A measured cell. */
export interface MeasuredCell {
  readonly status: "measured";
  /** Mean over seeds of the mean over concepts (of a pair metric: over pairs). */
  readonly mean: number;
  /** Standard deviation over seeds, n - 1; null for one seed. */
  readonly std: number | null;
  /** Bootstrap interval of the mean over concepts. */
  readonly low: number;
  readonly high: number;
  /** Number of concepts. */
  readonly concepts: number;
  /** Number of values of one seed: concepts, or pairs. */
  readonly values: number;
  /** This method minus the nearest measured one above it; null in the first measured row. */
  readonly againstAbove: Comparison | null;
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

export type Cell = MeasuredCell | QuotedCell | NotRunCell;

/** The version of table.json; raised when a field changes its meaning. */
export const tableVersion = 1;

/** A table that describes itself; table.json holds it as it is. */
export interface ResultTable {
  readonly schema: "lg-cav/result-table";
  readonly version: typeof tableVersion;
  readonly id: string;
  readonly title: string;
  readonly profile: string;
  readonly dataset: string;
  readonly metric: string;
  readonly unit: string;
  readonly seeds: readonly number[];
  readonly statistics: StatisticsSettings;
  readonly columns: readonly { readonly backbone: string; readonly title: string }[];
  readonly rows: readonly {
    readonly method: string;
    readonly title: string;
    /** One cell for each column, by backbone. */
    readonly cells: Readonly<Record<string, Cell>>;
  }[];
  readonly paper: PaperTable | null;
}
