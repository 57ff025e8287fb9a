import {
  bestCells,
  bestWord,
  measureAt,
  peersOf,
  type PlacedCell,
  placedCells,
  shownValue,
} from "./_cells.ts";
import { comparedFactor, factorOf, nounOf, varyingFactors } from "./_factors.ts";
import { formatDifference, formatMoment, formatValue } from "./_format.ts";
import { describeGallery } from "./gallery/mod.ts";
import {
  contrastTitle,
  countVerdicts,
  pooledContrasts,
  singleContrasts,
} from "./_describe_contrasts.ts";
import type { Contrast } from "./contrasts.ts";
import type { Result, ResultHistogram, ResultTable } from "./result.ts";

/**
 * What a result says, in sentences of markdown made from its numbers: which level of the compared
 * factor is best where, and what its contrasts say; of deviations their range; of
 * histograms the moments. Nothing in it can be out of date.
 */
export function describeResult(result: Result): string {
  const sentences = sentencesOf(result);
  if (sentences.length === 0) return "Nothing of this result has been measured and compared.";
  return sentences.map((sentence) => `- ${sentence}`).join("\n") + "\n";
}

function sentencesOf(result: Result): string[] {
  if (result.schema === "lg-cav/result-gallery") return describeGallery(result);
  if (result.schema === "lg-cav/result-histogram") return moments(result);
  const { show } = result;
  if (show.as === "table" && show.statistic === "std") return deviations(result);
  return [...best(result), ...verdicts(result), ...leastSteps(result)];
}

/** The range of each row's deviations. */
function deviations(table: ResultTable): string[] {
  return table.rows.flatMap(({ title, cells }) => {
    const values = cells.map((cell) => shownValue(table, cell)).filter((value) => value !== null);
    if (values.length === 0) return [];
    const [least, most] = [Math.min(...values), Math.max(...values)].map(formatValue);
    return [`**${title}**: ${least === most ? least : `${least} to ${most}`}`];
  });
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
  const winners = peersOf(table).flatMap((peers) => {
    const best = peers.filter(({ cell }) => cells.has(cell));
    if (best.length === 0) return [];
    return [best.length > 1 ? "several alike" : `**${comparedTitle(table, best[0]!)}**`];
  });
  const counts = [...Map.groupBy(winners, (winner) => winner)]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([winner, wins]) => `${winner} on ${wins.length}`);
  if (counts.length === 0) return [];
  const factor = nounOf(table, comparedFactor(table)!);
  const measured = amount(winners.length, `measured ${cellNoun(table)}`);
  return [`The ${factor} with the ${word} mean on ${measured}: ${counts.join(", ")}.`];
}

/** What follows of each pair of levels: the pooled verdict, then those of single cells. */
function verdicts(table: ResultTable): string[] {
  const cells = Map.groupBy(singleContrasts(table), (one) => pairOf(table, one));
  return [...Map.groupBy(pooledContrasts(table), (one) => pairOf(table, one))].map(
    ([pair, pooled]) => {
      const single = cells.get(pair)!;
      const effects = single.map(({ effect }) => effect);
      const [least, most] = [Math.min(...effects), Math.max(...effects)].map(formatDifference);
      const [only] = pooled;
      const verdict = pooled.length > 1
        ? countVerdicts(pooled)
        : `${only!.verdict}, ${formatDifference(only!.effect)} [${formatValue(only!.low)}, ` +
          `${formatValue(only!.high)}]`;
      return single.length === pooled.length
        ? `**${pair}**: ${verdict}.`
        : `**${pair}**: pooled ${verdict}; of ${amount(single.length, cellNoun(table))} ` +
          `(${least} to ${most}) ${countVerdicts(single)}.`;
    },
  );
}

/** How least values, which have no test, stand to those before them. */
function leastSteps(table: ResultTable): string[] {
  const found = placedCells(table).flatMap((placed) => {
    const against = placed.cell.status === "measured" ? placed.cell.against : null;
    const { title, aggregate } = measureAt(table, placed.levels);
    if (against === null || aggregate !== "least") return [];
    const other = levelTitle(table, { name: comparedFactor(table)!, level: against.level });
    const where = table.measures.length > 1 ? `, ${title}` : "";
    return [{ pair: `**${comparedTitle(table, placed)}** against ${other}${where}`, against }];
  });
  return [...Map.groupBy(found, ({ pair }) => pair)].map(([pair, group]) => {
    const differences = group.map(({ against }) => against.difference);
    const [least, most] = [Math.min(...differences), Math.max(...differences)]
      .map(formatDifference);
    const higher = differences.filter((difference) => difference > 0).length;
    return `${pair}: higher on ${higher} of ${amount(group.length, cellNoun(table))} ` +
      `(${least === most ? least : `${least} to ${most}`}).`;
  });
}

function pairOf(table: ResultTable, contrast: Contrast): string {
  const { title } = measureAt(table, contrast.levels);
  return contrastTitle(table, contrast).pair + (table.measures.length > 1 ? `, ${title}` : "");
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
