import type { Plain } from "../config/mod.ts";
import type { Show } from "../experiment/mod.ts";
import { factorOf, rowFactors } from "./_factors.ts";
import {
  axesOf,
  baseLayout,
  gridLines,
  intervalSentence,
  legendOnce,
  measureTitle,
  type Panel,
  panelGrid,
  panelsOf,
  round,
  styleOf,
  titleWithin,
} from "./_layout.ts";
import { wrap } from "./_wrap.ts";
import type { Figure } from "./figure.ts";
import type { ResultTable } from "./result.ts";
import type { TitledFactor } from "./result_spec.ts";

type Lines = Extract<Plain<Show>, { readonly as: "lines" }>;

/** More bands than these hide each other. */
const mostBands = 4;

/** One line for each series over x, its bootstrap interval as a band where there are few. */
export function lineFigure(table: ResultTable, show: Lines): Figure {
  const panels = panelsOf(table);
  const x = factorOf(table, show.x);
  const places = positions(x, show.scale);
  const nameOf = (row: number) => {
    const { levels } = table.rows[row]!;
    return titleWithin(table, { levels, names: rowFactors(show) });
  };
  const titles = [...new Set(table.rows.map((_, row) => nameOf(row)))];
  const withBands = titles.length <= mostBands;
  const subtitle = withBands
    ? `bands are ${intervalSentence(table)}`
    : "intervals and tests are in table.md";
  const data = panels.flatMap((panel) =>
    panel.rows.flatMap((row) =>
      traces(table, {
        row,
        x: table.columns.map(({ levels }) => places.get(levels[show.x]!)!),
        axes: { xaxis: `x${panel.axis}`, yaxis: `y${panel.axis}` },
        name: nameOf(row),
        place: titles.indexOf(nameOf(row)),
        withBands,
      })
    )
  );
  const width = 800 / panelGrid(table, panels).columns;
  const xAxis = {
    title: { text: wrap(x.title, width / 9).join("<br>") },
    type: show.scale,
    tickmode: "array",
    tickangle: 0,
    ...ticks(x, { places, scale: show.scale, width }),
    ...gridLines,
    zeroline: false,
  };
  const layout = baseLayout(table, { panels, subtitle, legend: titles, panelHeight: 300 });
  const marks = x.levels.flatMap(({ level, mark }) =>
    mark === undefined ? [] : [{ text: mark, place: places.get(level)! }]
  );
  const labels = panels.flatMap((panel) => marks.map((mark) => label(mark, panel, show.scale)));
  return {
    data: legendOnce(data),
    layout: {
      ...layout,
      ...(marks.length > 0 && {
        shapes: panels.flatMap((panel) => marks.map((mark) => verticalLine(mark, panel))),
        annotations: [...layout.annotations ?? [], ...labels],
      }),
      ...axesOf(table, {
        panels,
        axes: (panel) => ({
          x: xAxis,
          y: { title: { text: measureTitle(table, panel) }, ...gridLines, automargin: true },
        }),
      }),
    },
  };
}

/** A level of x that is marked. */
interface Mark {
  readonly text: string;
  readonly place: number;
}

/** A line behind the others from the bottom to the top of a panel. */
function verticalLine({ place }: Mark, { axis }: Panel) {
  const ends = { x0: place, x1: place, y0: 0, y1: 1 };
  const line = { color: "#606060", width: 1.5, dash: "dot" };
  return {
    type: "line",
    layer: "below",
    xref: `x${axis}`,
    yref: `y${axis} domain`,
    ...ends,
    line,
  };
}

/** What a line says, right of its upper end. An annotation stands at the logarithm of its place. */
function label({ text, place }: Mark, { axis }: Panel, scale: Lines["scale"]) {
  return {
    text,
    xref: `x${axis}`,
    yref: `y${axis} domain`,
    x: scale === "log" ? round(Math.log10(place)) : place,
    y: 1,
    xanchor: "left",
    yanchor: "top",
    showarrow: false,
    font: { size: 11, color: "#606060" },
  };
}

/**
 * Where the levels of x stand: numbers at their value, a name (such as "pool") one step of the last
 * two numbers beyond the level before it. Names alone stand at 1, 2, 3 and so on.
 */
function positions(
  { levels }: TitledFactor,
  scale: Lines["scale"],
): ReadonlyMap<string | number, number> {
  const placed: number[] = [];
  for (const { level } of levels) {
    const [before, last] = [placed.at(-2), placed.at(-1)];
    if (typeof level === "number") placed.push(level);
    else if (last === undefined) placed.push(1);
    else if (before === undefined) placed.push(scale === "log" ? 2 * last : last + 1);
    else placed.push(scale === "log" ? last * (last / before) : last + (last - before));
  }
  return new Map(levels.map(({ level }, i) => [level, placed[i]!]));
}

/** A tick at each level, and its title where there is room after the one before. */
function ticks(
  { levels }: TitledFactor,
  { places, scale, width }: {
    readonly places: ReadonlyMap<string | number, number>;
    readonly scale: Lines["scale"];
    /** Of a panel, in CSS pixels. */
    readonly width: number;
  },
) {
  const drawn = levels.map(({ level, short }) => {
    const place = places.get(level)!;
    return { place, short, at: scale === "log" ? Math.log(place) : place };
  }).sort((a, b) => a.place - b.place);
  const span = drawn.at(-1)!.at - drawn[0]!.at || 1;
  let end = -Infinity;
  const titles = drawn.map(({ short, at }) => {
    const [middle, half] = [width * (at - drawn[0]!.at) / span, 4 * short.length];
    if (middle - half < end + 6) return "";
    end = middle + half;
    return short;
  });
  return { tickvals: drawn.map(({ place }) => place), ticktext: titles };
}

function traces(
  table: ResultTable,
  { row, x, axes, name, place, withBands }: {
    readonly row: number;
    readonly x: readonly number[];
    readonly axes: { readonly xaxis: string; readonly yaxis: string };
    readonly name: string;
    readonly place: number;
    readonly withBands: boolean;
  },
) {
  const points = table.rows[row]!.cells.flatMap((cell, column) =>
    cell.status === "measured" ? [{ ...cell, x: x[column]! }] : []
  ).sort((a, b) => a.x - b.x);
  if (points.length === 0) return [];
  const { color, symbol } = styleOf(place);
  const back = points.toReversed();
  const band = {
    type: "scatter",
    mode: "lines",
    name,
    x: [...points, ...back].map(({ x }) => x),
    y: [
      ...points.map(({ mean, high }) => round(high ?? mean)),
      ...back.map(({ mean, low }) => round(low ?? mean)),
    ],
    ...axes,
    fill: "toself",
    fillcolor: color,
    opacity: 0.15,
    line: { width: 0 },
    hoverinfo: "skip",
    legendgroup: name,
    showlegend: false,
  };
  return [
    ...withBands ? [band] : [],
    {
      type: "scatter",
      mode: "lines+markers",
      name,
      x: points.map(({ x }) => x),
      y: points.map(({ mean }) => round(mean)),
      ...axes,
      line: { color, width: 2 },
      marker: { color, symbol, size: 7 },
      legendgroup: name,
      showlegend: true,
    },
  ];
}
