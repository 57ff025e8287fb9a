import { bestCells, bestWord, measureAt, peersOf, type PlacedCell, placedCells } from "./_cells.ts";
import { comparedFactor, factorOf, nounOf, varyingFactors } from "./_factors.ts";
import { formatDifference, formatMoment } from "./_format.ts";
import type { Comparison } from "./comparison.ts";
import type { Result, ResultHistogram, ResultTable } from "./result.ts";

/**
 * What a result says, in sentences of markdown made from its numbers: which level of the compared
 * factor is best where, and how each stands to the one before it; of histograms the moments. Nothing
 * in it can be out of date.
 */
export function describeResult(result: Result): string {
  const sentences = result.schema === "lg-cav/result-histogram"
    ? moments(result)
    : [...best(result), ...steps(result)];
  if (sentences.length === 0) return "Nothing of this result has been measured and compared.";
  return sentences.map((sentence) => `- ${sentence}`).join("\n") + "\n";
}

function moments({ rows }: ResultHistogram): string[] {
  return rows.flatMap(({ title, histogram }) => {
    if (histogram.status === "not run") return [];
    const { mean, deviation, values } = histogram;
    return [
      `**${title}**: mean ${formatMoment(mean)}, deviation ${formatMoment(deviation)} ` +
      `(${values} values)`,
    ];
  });
}

function best(table: ResultTable): string[] {
  const word = bestWord(table);
  if (word === null) return [];
  const cells = bestCells(table);
  const titles = peersOf(table).flatMap((peers) => {
    const first = peers.find(({ cell }) => cells.has(cell));
    return first === undefined ? [] : [comparedTitle(table, first)];
  });
  const counts = [...Map.groupBy(titles, (title) => title)]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([title, wins]) => `**${title}** on ${wins.length}`);
  const measured = amount(titles.length, `measured ${cellNoun(table)}`);
  return counts.length === 0 ? [] : [`The ${word} mean of ${measured}: ${counts.join(", ")}.`];
}

function steps(table: ResultTable): string[] {
  const compared = comparedFactor(table);
  if (compared === null) return [];
  const found = placedCells(table).flatMap((placed) => {
    const against = placed.cell.status === "measured" ? placed.cell.against : null;
    if (against === null) return [];
    const title = comparedTitle(table, placed);
    const other = levelTitle(table, { name: compared, level: against.level });
    const { title: measure } = measureAt(table, placed.levels);
    const where = table.measures.length > 1 ? `, ${measure}` : "";
    return [{ pair: `**${title}** against ${other}${where}`, against }];
  });
  return [...Map.groupBy(found, ({ pair }) => pair)].map(([pair, group]) =>
    `${pair}: ${describe(group.map(({ against }) => against), cellNoun(table))}`
  );
}

function describe(comparisons: readonly Comparison[], noun: string): string {
  const count = (holds: (comparison: Comparison) => boolean) => comparisons.filter(holds).length;
  const differences = comparisons.map(({ difference }) => difference);
  const [least, most] = [Math.min(...differences), Math.max(...differences)].map(formatDifference);
  const range = least === most ? least : `${least} to ${most}`;
  const higher = `higher on ${count(({ difference }) => difference > 0)} of ` +
    `${amount(comparisons.length, noun)} (${range})`;
  if (comparisons.every(({ pValue }) => pValue === null)) return `${higher}.`;
  return `${higher}; the interval lies above 0 on ` +
    `${count(({ low }) => low !== null && low > 0)} and below 0 on ` +
    `${count(({ high }) => high !== null && high < 0)}; p < 0.05 on ` +
    `${count(({ pValue }) => pValue !== null && pValue < 0.05)}.`;
}

/** What the cells of one comparison are: levels of a factor where only one other varies. */
function cellNoun(table: ResultTable): string {
  const compared = comparedFactor(table);
  const others = varyingFactors(table).filter((name) => name !== compared);
  return others.length === 1 && others[0] !== "measure" ? nounOf(table, others[0]!) : "cell";
}

function comparedTitle(table: ResultTable, { levels }: PlacedCell): string {
  const name = comparedFactor(table)!;
  return levelTitle(table, { name, level: levels[name]! });
}

function levelTitle(
  table: ResultTable,
  { name, level }: { readonly name: string; readonly level: string | number },
): string {
  return factorOf(table, name).levels.find((of) => of.level === level)!.title;
}

const amount = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;
