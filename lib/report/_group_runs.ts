import type { Levels, Run } from "../experiment/mod.ts";
import { cellLevels } from "./_factors.ts";
import type { Heading, ResultSpec } from "./result_spec.ts";

/** The measured runs of the cells that a result shows, and the seeds that occur in them. */
export interface GroupedRuns {
  readonly seeds: readonly number[];
  /** Those of the cell of some headings; undefined when there are none. */
  readonly runsOf: (...headings: readonly Heading[]) => readonly Run[] | undefined;
}

/** Runs of other levels, measures and concepts are passed over. */
export function groupRuns(runs: readonly Run[], spec: ResultSpec): GroupedRuns {
  const names = spec.factors.map(({ name }) => name).filter((name) =>
    name !== "seed" && name !== "measure"
  );
  const keyOf = (levels: Levels, measure: unknown) =>
    JSON.stringify([...names.map((name) => levels[name]), measure]);
  const keyAt = (headings: readonly Heading[]) => {
    const levels = cellLevels(spec, headings);
    return keyOf(levels, levels["measure"]);
  };
  const columns = spec.columns.length === 0 ? [[]] : spec.columns.map((column) => [column]);
  const shown = new Set(
    spec.rows.flatMap((row) => columns.map((column) => keyAt([row, ...column]))),
  );
  const concepts = spec.concepts === null ? null : new Set(spec.concepts);
  const groups = Map.groupBy(
    runs.filter(({ status, concept }) =>
      status === "measured" && (concepts === null || concepts.has(concept))
    ),
    ({ levels, measure }) => keyOf(levels, measure),
  );
  const chosen = [...groups].filter(([key]) => shown.has(key));
  const seeds = new Set(
    chosen.flatMap(([, group]) => group.map(({ levels }) => Number(levels["seed"]))),
  );
  return {
    seeds: [...seeds].sort((a, b) => a - b),
    runsOf: (...headings) => groups.get(keyAt(headings)),
  };
}
