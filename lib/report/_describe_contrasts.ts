import type { Level } from "../experiment/mod.ts";
import { factorOf, fixedFactors, nounOf } from "./_factors.ts";
import { formatDifference, formatPValue, formatValue } from "./_format.ts";
import { markdownTable } from "./_markdown_table.ts";
import type { Contrast, Verdict } from "./contrasts.ts";
import type { ResultTable } from "./result.ts";

/** The contrasts that are pooled, over one cell or several. */
export function pooledContrasts({ tested = [] }: ResultTable): readonly Contrast[] {
  return tested.filter(({ pooledOver }) => pooledOver !== null);
}

/** The contrasts of two single cells. */
export function singleContrasts({ tested = [] }: ResultTable): readonly Contrast[] {
  return tested.filter(({ pooledOver }) => pooledOver === null);
}

/** "LG-CAV − Original CAV", with the levels that vary besides. */
export function contrastTitle(
  table: ResultTable,
  { factor, level, against, levels }: Contrast,
): { readonly pair: string; readonly where: string } {
  const fixed = fixedFactors(table).map(({ name }) => name);
  const where = Object.entries(levels).filter(([name]) => !fixed.includes(name))
    .map(([name, level]) => levelTitle(table, name, level));
  return {
    pair: [level, against].map((one) => levelTitle(table, factor, one)).join(" − "),
    where: where.join(", "),
  };
}

function levelTitle(table: ResultTable, name: string, level: Level): string {
  return factorOf(table, name).levels.find((of) => of.level === level)?.title ?? `${level}`;
}

/** The blocks of table.md: pooled contrasts with their verdicts, and how many single ones are clear. */
export function contrastBlocks(table: ResultTable): string[] {
  const pooled = pooledContrasts(table);
  if (pooled.length === 0) return [];
  const titles = pooled.map((contrast) => contrastTitle(table, contrast));
  const isSplit = titles.some(({ where }) => where !== "");
  const header = ["Contrast", "effect", "p", "margin", "verdict", "would settle it"];
  const lines = pooled.map((contrast, i) => {
    const { effect, low, high, correctedPValue, equivalence, verdict } = contrast;
    return [
      titles[i]!.pair + (isSplit ? `: ${titles[i]!.where}` : ""),
      `${formatDifference(effect)} [${formatValue(low)}, ${formatValue(high)}]`,
      formatPValue(correctedPValue),
      equivalence === null
        ? "none"
        : `${+equivalence.margin.toFixed(2)}, ${formatPValue(equivalence.correctedPValue)}`,
      verdict,
      settling(contrast),
    ];
  });
  return [
    "## Contrasts",
    markdownTable([header, ...lines]),
    `Differences of the means${
      overWhat(table, pooled)
    }. In brackets the interval of a bootstrap that ` +
    `resamples concepts and seeds; p is that of a paired permutation test over concepts, the second ` +
    `one that the difference lies within the margin; both are Holm's over the contrasts of this ` +
    `block. What would settle an undecided one supposes that the effect is as observed. Of the ` +
    `contrasts of single cells, corrected by themselves in contrasts.csv: ` +
    `${countVerdicts(singleContrasts(table))}. See docs/statistics.md.`,
  ];
}

/** The pooled verdicts in a line each, or where they are many as counts; for a terminal. */
export function contrastLines(table: ResultTable): string[] {
  const pooled = pooledContrasts(table);
  if (pooled.length === 0) return [];
  if (pooled.length > most) {
    return [`Contrasts${overWhat(table, pooled)}: ${countVerdicts(pooled)}; see contrasts.csv.`];
  }
  return [
    `Contrasts${overWhat(table, pooled)}, corrected for their number:`,
    ...pooled.map((contrast) => {
      const { pair, where } = contrastTitle(table, contrast);
      return `  ${contrast.verdict.padEnd(10)} ${pair}${where === "" ? "" : `: ${where}`}  ` +
        `${formatDifference(contrast.effect)} [${formatValue(contrast.low)}, ` +
        `${formatValue(contrast.high)}]`;
    }),
  ];
}

/** More lines than that say less than their number. */
const most = 12;

/** "5 above, 2 equivalent": how many contrasts have each verdict. */
export function countVerdicts(contrasts: readonly Pick<Contrast, "verdict">[]): string {
  const order: Verdict[] = ["above", "below", "equivalent", "undecided"];
  const counts = order.map((verdict) =>
    [contrasts.filter((contrast) => contrast.verdict === verdict).length, verdict] as const
  );
  return counts.filter(([count]) => count > 0).map(([count, verdict]) => `${count} ${verdict}`)
    .join(", ") || "none";
}

function overWhat(table: ResultTable, pooled: readonly Contrast[]): string {
  const names = [...new Set(pooled.flatMap(({ pooledOver }) => pooledOver!))];
  const cells = Math.max(...pooled.map(({ cells }) => cells));
  if (names.length === 0 || cells < 2) return "";
  const [fewest] = pooled.map(({ cells }) => cells).sort((a, b) => a - b);
  const count = fewest === cells ? `${cells}` : `${fewest} to ${cells}`;
  const noun = names.length === 1 ? `${nounOf(table, names[0]!)}s` : "cells";
  return `, pooled over ${count} ${noun}`;
}

function settling({ toSettle, seeds, concepts }: Contrast): string {
  if (toSettle === null) return "";
  const ways = [
    ...toSettle.seeds === null ? [] : [`${amount(toSettle.seeds)} seeds instead of ${seeds}`],
    ...toSettle.concepts === null
      ? []
      : [`${amount(toSettle.concepts)} concepts instead of ${concepts}`],
  ];
  return ways.join(", or ") || "neither more seeds nor more concepts alone";
}

const amount = (count: number) => count > 10_000 ? "more than 10000" : `${count}`;
