import type { Levels } from "../experiment/mod.ts";
import { cellLevels, comparedFactor } from "./_factors.ts";
import type { Cell, MeasuredCell, Result, ResultTable } from "./result.ts";
import type { ShownMeasure } from "./result_spec.ts";

/** A cell with where it stands. */
export interface PlacedCell {
  readonly cell: Cell;
  readonly row: number;
  readonly column: number;
  /** Every factor's level, and `measure`. */
  readonly levels: Levels;
}

/** All cells of a table, row by row. */
export function placedCells(table: ResultTable): PlacedCell[] {
  return table.rows.flatMap((heading, row) =>
    heading.cells.map((cell, column) => ({
      cell,
      row,
      column,
      levels: cellLevels(table, [heading, table.columns[column]!]),
    }))
  );
}

/** The measure of some levels. */
export function measureAt({ measures }: Pick<Result, "measures">, levels: Levels): ShownMeasure {
  return measures.find(({ name }) => name === levels["measure"])!;
}

/** The cells that are compared with each other, group by group; none where nothing is compared. */
export function peersOf(table: ResultTable): PlacedCell[][] {
  const compared = comparedFactor(table);
  if (compared === null) return [];
  const groups = Map.groupBy(
    placedCells(table),
    ({ levels }) => JSON.stringify({ ...levels, [compared]: null }),
  );
  return [...groups.values()];
}

/**
 * The best cells among those that are compared: the highest means of a measure of which more is
 * better, the lowest of one of which less is. None of a measure that is neither, and none where
 * there is nothing to compare.
 */
export function bestCells(table: ResultTable): ReadonlySet<Cell> {
  return new Set(
    peersOf(table).flatMap((peers) => {
      const { direction } = measureAt(table, peers[0]!.levels);
      const means = peers.flatMap(({ cell }) => cell.status === "measured" ? [cell.mean] : []);
      if (direction === "none" || means.length < 2) return [];
      const best = direction === "higher" ? Math.max(...means) : Math.min(...means);
      return peers.flatMap(({ cell }) =>
        cell.status === "measured" && cell.mean === best ? [cell] : []
      );
    }),
  );
}

/** What {@linkcode bestCells} picked, as an adjective; null where it picks nothing. */
export function bestWord(table: ResultTable): "highest" | "lowest" | "best" | null {
  const directions = new Set(table.measures.map(({ direction }) => direction));
  directions.delete("none");
  if (comparedFactor(table) === null || directions.size === 0) return null;
  return directions.size > 1 ? "best" : directions.has("higher") ? "highest" : "lowest";
}

/** "Table 2. Its title", or the id where the paper has no such table. */
export function fullTitle({ paper, id, title }: Pick<Result, "paper" | "id" | "title">): string {
  return `${paper ?? id}. ${title}`;
}

/** What the values of a table are over, apart for each aggregate: such as "41 concepts". */
export function countsOf(
  table: ResultTable,
): Readonly<Record<ShownMeasure["aggregate"], string | null>> {
  const counts = placedCells(table).flatMap(({ cell, levels }) => {
    if (cell.status !== "measured") return [];
    const measure = measureAt(table, levels);
    return [{ aggregate: measure.aggregate, count: countOf(cell, measure) }];
  });
  const of = (aggregate: ShownMeasure["aggregate"]) => {
    const own = counts.filter((one) => one.aggregate === aggregate).map(({ count }) => count);
    return own.length === 0 ? null : [...new Set(own)].join(" or ");
  };
  return counts.length === 0
    ? { mean: "concepts", least: null }
    : { mean: of("mean"), least: of("least") };
}

/** What the number of a seed is, such as "the mean over 41 concepts". */
export function aggregates(table: ResultTable): string {
  const { mean, least } = countsOf(table);
  return [
    ...mean === null ? [] : [`the mean over ${mean}`],
    ...least === null ? [] : [`the least of ${least}`],
  ].join(", or of ");
}

function countOf({ values, concepts }: MeasuredCell, { over, aggregate }: ShownMeasure): string {
  const ofConcepts = counted(concepts, "concept");
  if (["pairs", "significance", "reweightings"].includes(over)) {
    const classes = concepts > 1 ? "their classes" : values > 1 ? "its classes" : "its class";
    return `${counted(values, "pair")} of ${ofConcepts} and ${classes}`;
  }
  if (over === "probes") return `${counted(values, "probe")} of ${ofConcepts}`;
  if (over === "corrections") return values === 1 ? "one value" : `${values} values`;
  if (over !== "classes") return ofConcepts;
  const ofClasses = concepts === 1 ? "1 class" : `${concepts} classes`;
  return aggregate === "least"
    ? `${counted(values, "group")} of ${ofClasses}`
    : `${ofClasses} by their images`;
}

/** A number of things: "1 pair", "2 pairs". */
function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** What is drawn again and again for an interval: "concepts", or "classes" where those are measured. */
export function resampledNoun({ measures }: Pick<Result, "measures">): string {
  const nouns = measures.filter(({ aggregate }) => aggregate === "mean")
    .map(({ over }) => over === "classes" ? "classes" : "concepts");
  return [...new Set(nouns)].join(" or ") || "concepts";
}

/** The number that a table shows of a cell: its mean, or its deviation over seeds; null if none. */
export function shownValue({ show }: Pick<ResultTable, "show">, cell: Cell): number | null {
  if (cell.status === "not run") return null;
  if (show.as !== "table" || show.statistic === "mean") return cell.mean;
  return cell.status === "measured" ? cell.std : cell.mean;
}
