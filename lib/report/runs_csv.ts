import { table as arqueroTable } from "arquero";
import { coreFactors, type Level, type Run } from "../experiment/mod.ts";

/** The columns after the factors; `image` is left out where no run has one. */
const identity = ["measure", "concept", "class", "image"] as const;

/**
 * The runs in the order of the files: by their factors, measure, concept, class, image; numbers by
 * size and before text, text by code unit. It does not depend on the order in which they were
 * measured.
 */
export function sortRuns(runs: readonly Run[]): Run[] {
  const factors = factorColumns(runs);
  return runs.toSorted((a, b) => {
    for (const name of factors) {
      const order = compareLevels(a.levels[name]!, b.levels[name]!);
      if (order !== 0) return order;
    }
    const column = identity.find((name) => a[name] !== b[name]);
    return column === undefined ? 0 : a[column] < b[column] ? -1 : 1;
  });
}

function compareLevels(a: Level, b: Level): number {
  if (a === b) return 0;
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a < b ? -1 : 1;
}

/** runs.csv: sorted, numbers in the shortest form that reads back to the same float64. */
export function runsCsv(runs: readonly Run[]): string {
  return arqueroTable(columnsOf(runs)).toCSV();
}

/** The factors of runs: those that every experiment has, then the swept ones in their order. */
function factorColumns(runs: readonly Run[]): string[] {
  const names = Object.keys(runs[0]?.levels ?? {});
  const core = coreFactors.filter((name) => names.includes(name));
  return [...core, ...names.filter((name) => !core.includes(name as never))];
}

/**
 * The runs as one array for each column, sorted: the factors, measure, concept, class, image where
 * a run has one, value, weight, status.
 *
 * @throws {TypeError} when runs have different factors, or a name as a level that reads as a number.
 */
export function columnsOf(runs: readonly Run[]): Record<string, (string | number)[]> {
  const factors = factorColumns(runs);
  for (const { levels } of runs) checkLevels(levels, factors);
  const sorted = sortRuns(runs);
  const own = [...identity, "value", "weight", "status"] as const;
  const columns = own.filter((name) => name !== "image" || runs.some(({ image }) => image !== ""));
  return Object.fromEntries([
    ...factors.map((name) => [name, sorted.map(({ levels }) => levels[name]!)] as const),
    ...columns.map((name) => [name, sorted.map((run) => run[name])] as const),
  ]);
}

function checkLevels(levels: Run["levels"], factors: readonly string[]): void {
  const names = Object.keys(levels);
  const missing = factors.find((name) => levels[name] === undefined);
  if (missing !== undefined || names.length !== factors.length) {
    throw new TypeError(
      `Writing runs: one has the factors ${names.join(", ")}, another ${factors.join(", ")}.`,
    );
  }
  const numeric = factors.find((name) => {
    const level = levels[name]!;
    return typeof level === "string" && levelOfText(level) !== level;
  });
  if (numeric !== undefined) {
    throw new TypeError(
      `Writing runs: the level "${
        levels[numeric]
      }" of ${numeric} is text that reads as a number. ` +
        `Make it a number.`,
    );
  }
}

/** The level that a column of names and numbers holds as text. */
export function levelOfText(text: string): Level {
  const number = Number(text);
  return Number.isFinite(number) && String(number) === text ? number : text;
}
