import type { Cell, MeasuredCell, ResultTable } from "./result_table.ts";

/**
 * table.md, for a reader: means and standard deviations as the paper prints them, then intervals
 * and tests, then (paper profile) measured, paper and difference one below the other.
 */
export function tableMarkdown(table: ResultTable): string {
  return [
    `# ${tableNumber(table.id)}. ${table.title}`,
    about(table),
    meansBlock(table),
    `Mean over seeds of the mean over ${over(table)}, ± the standard deviation over seeds ` +
    `(n - 1). Bold: the highest measured mean of a column.${marks(table)}`,
    `## Intervals and tests`,
    intervalsBlock(table),
    `Percentile bootstrap interval (${percent(table)}) of the mean, resampling concepts.`,
    againstAboveBlock(table),
    `Difference from the nearest measured row above, its interval, and the p-value of a two-sided ` +
    `paired permutation test over concepts. P-values are not corrected for the number of tests.`,
    ...paperBlock(table),
  ].join("\n\n") + "\n";
}

/** A number with two decimals, as the paper prints its tables. */
export function formatValue(value: number): string {
  const text = value.toFixed(2);
  return text === "-0.00" ? "0.00" : text;
}

/** A difference with its sign. */
export function formatDifference(value: number): string {
  const text = formatValue(value);
  return text === "0.00" || text.startsWith("-") ? text : `+${text}`;
}

/** A p-value with four decimals; smaller ones are "< 0.0001". */
export function formatPValue(value: number): string {
  return value < 0.00005 ? "p < 0.0001" : `p = ${value.toFixed(4)}`;
}

/** "Table 2" of "table2"; other ids stay. */
export function tableNumber(id: string): string {
  return id.replace(/^table(\d+)$/, "Table $1");
}

function about({ dataset, profile, unit, seeds }: ResultTable): string {
  const seedList = seeds.length === 0 ? "none" : seeds.join(", ");
  return `Dataset ${dataset}, profile ${profile}, unit ${unit}, seeds ${seedList}. ` +
    `Every number here is measured unless it is marked.`;
}

function over(table: ResultTable): string {
  const cells = allCells(table).filter((cell) => cell.status === "measured");
  const counts = [
    ...new Set(
      cells.map((cell) =>
        cell.values === cell.concepts
          ? `${cell.concepts} concepts`
          : `${cell.values} pairs of ${cell.concepts} concepts and their classes`
      ),
    ),
  ];
  return counts.length === 0 ? "concepts" : counts.join(" or ");
}

function marks(table: ResultTable): string {
  const states = new Set(allCells(table).map((cell) => cell.status));
  return (states.has("quoted") ? " †: quoted by the paper from other work, not measured." : "") +
    (states.has("not run") ? " not run: there is no run of this cell." : "");
}

function meansBlock(table: ResultTable): string {
  const best = new Map(table.columns.map(({ backbone }) => {
    const means = table.rows.flatMap(({ cells }) => {
      const cell = cells[backbone]!;
      return cell.status === "measured" ? [cell.mean] : [];
    });
    return [backbone, Math.max(...means)];
  }));
  return byMethod(table, (cell, backbone) => {
    if (cell.status === "not run") return "not run";
    if (cell.status === "quoted") return `${formatValue(cell.mean)} †`;
    const spread = cell.std === null ? "" : ` ± ${formatValue(cell.std)}`;
    const mean = formatValue(cell.mean);
    return (cell.mean === best.get(backbone) ? `**${mean}**` : mean) + spread;
  });
}

function intervalsBlock(table: ResultTable): string {
  return byMethod(table, (cell) => cell.status === "measured" ? interval(cell) : cell.status);
}

function againstAboveBlock(table: ResultTable): string {
  return byMethod(table, (cell) => {
    if (cell.status !== "measured") return cell.status;
    const above = cell.againstAbove;
    if (above === null) return "";
    return `${formatDifference(above.difference)} ${interval(above)}, ${
      formatPValue(above.pValue)
    }`;
  });
}

function paperBlock(table: ResultTable): string[] {
  const { paper } = table;
  if (paper === null) return [];
  const rows = table.rows.flatMap(({ method, title, cells }) => {
    const line = (kind: string, text: (cell: Cell, printed: number | undefined) => string) => [
      kind === "measured" ? title : "",
      kind,
      ...table.columns.map(({ backbone }) =>
        text(cells[backbone]!, paper.values[method]?.[backbone])
      ),
    ];
    return [
      line("measured", (cell) => cell.status === "measured" ? formatValue(cell.mean) : cell.status),
      line("paper", (_, printed) => printed === undefined ? "" : formatValue(printed)),
      line(
        "difference",
        (cell, printed) =>
          cell.status !== "measured" || printed === undefined
            ? ""
            : formatDifference(cell.mean - printed),
      ),
    ];
  });
  const header = ["Method", "", ...table.columns.map(({ title }) => title)];
  return ["## Against the paper", markdownTable([header, ...rows]), `Paper: ${paper.source}.`];
}

function byMethod(table: ResultTable, text: (cell: Cell, backbone: string) => string): string {
  const header = ["Method", ...table.columns.map(({ title }) => title)];
  const rows = table.rows.map(({ title, cells }) => [
    title,
    ...table.columns.map(({ backbone }) => text(cells[backbone]!, backbone)),
  ]);
  return markdownTable([header, ...rows]);
}

function markdownTable(rows: readonly (readonly string[])[]): string {
  const lines = rows.map((cells) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`
  );
  const width = rows[0]!.length;
  lines.splice(1, 0, `| --- |${" ---: |".repeat(width - 1)}`);
  return lines.join("\n");
}

const interval = ({ low, high }: Pick<MeasuredCell, "low" | "high">) =>
  `[${formatValue(low)}, ${formatValue(high)}]`;
const percent = ({ statistics }: ResultTable) => `${+(100 * statistics.confidence).toFixed(2)} %`;
const allCells = (table: ResultTable) => table.rows.flatMap(({ cells }) => Object.values(cells));
