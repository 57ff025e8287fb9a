import { shownValue } from "./_cells.ts";
import { columnFactors, rowFactors } from "./_factors.ts";
import {
  axesOf,
  baseLayout,
  gridLines,
  intervalSentence,
  legendOnce,
  measureTitle,
  type Panel,
  panelsOf,
  round,
  styleOf,
  titleWithin,
} from "./_layout.ts";
import type { Figure } from "./figure.ts";
import type { Cell, MeasuredCell, ResultTable } from "./result.ts";

/** One group of bars for each column, one bar for each row that was measured or quoted (hatched). */
export function barFigure(table: ResultTable): Figure {
  const panels = panelsOf(table);
  const deviations = table.show.as === "table" && table.show.statistic === "std";
  const titles = [
    ...new Set(
      table.rows.map(({ levels }) => titleWithin(table, { levels, names: rowFactors(table.show) })),
    ),
  ];
  const subtitle = deviations
    ? "standard deviation over seeds"
    : `lines are ${intervalSentence(table)}`;
  return {
    data: legendOnce(panels.flatMap((panel) => bars(table, { panel, titles }))),
    layout: {
      ...baseLayout(table, { panels, subtitle, legend: titles, panelHeight: 330 }),
      barmode: "group",
      bargap: 0.18,
      ...axesOf(table, {
        panels,
        axes: (panel) => ({
          x: { title: { text: "" }, automargin: true },
          y: { title: { text: measureTitle(table, panel) }, ...gridLines, automargin: true },
        }),
      }),
    },
  };
}

function bars(
  table: ResultTable,
  { panel, titles }: { readonly panel: Panel; readonly titles: readonly string[] },
) {
  return panel.rows.flatMap((row) => {
    const { levels, cells } = table.rows[row]!;
    const shown = panel.columns.flatMap((column) => {
      const [cell, { levels }] = [cells[column]!, table.columns[column]!];
      const value = shownValue(table, cell);
      const title = titleWithin(table, { levels, names: columnFactors(table.show) });
      return value === null ? [] : [{ title, cell, value }];
    });
    if (shown.length === 0) return [];
    const name = titleWithin(table, { levels, names: rowFactors(table.show) });
    return [{
      type: "bar",
      name,
      x: shown.map(({ title }) => title),
      y: shown.map(({ value }) => round(value)),
      xaxis: `x${panel.axis}`,
      yaxis: `y${panel.axis}`,
      ...errorBars(table, shown.map(({ cell }) => cell)),
      marker: {
        color: styleOf(titles.indexOf(name)).color,
        pattern: { shape: shown.map(({ cell }) => cell.status === "quoted" ? "/" : "") },
      },
      legendgroup: name,
      showlegend: true,
    }];
  });
}

/** The bootstrap intervals of means; a deviation has none. */
function errorBars({ show }: ResultTable, cells: readonly Cell[]) {
  if (show.as === "table" && show.statistic === "std") return {};
  const spread = (side: (cell: MeasuredCell) => number) =>
    cells.map((cell) => cell.status === "measured" ? round(side(cell)) : 0);
  return {
    error_y: {
      type: "data",
      symmetric: false,
      array: spread(({ mean, high }) => (high ?? mean) - mean),
      arrayminus: spread(({ mean, low }) => mean - (low ?? mean)),
      thickness: 1,
      width: 2,
      color: "#404040",
    },
  };
}
