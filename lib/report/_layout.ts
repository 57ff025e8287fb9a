import type { Levels } from "../experiment/mod.ts";
import { fullTitle, measureAt, resampledNoun } from "./_cells.ts";
import {
  cellLevels,
  columnFactors,
  factorOf,
  fixedFactors,
  headingTitle,
  rowFactors,
  varyingFactors,
} from "./_factors.ts";
import type { PlottedResult } from "./result.ts";
import { wrap } from "./_wrap.ts";
import type { Heading } from "./result_spec.ts";

/** A subplot: the rows and columns that it draws. */
export interface Panel {
  /** "" where there is one panel only. */
  readonly title: string;
  readonly rows: readonly number[];
  /** None of histograms. */
  readonly columns: readonly number[];
  /** A plotly axis is "x", "x2" and so on. */
  readonly axis: string;
}

/**
 * The factors that set panels apart: as the experiment says; of histograms, each of which has a
 * panel, all; of a table its measures and, where it has more rows than there are colours, all of its
 * row factors but the last.
 */
function panelFactors({ show, factors, rows }: PlottedResult): string[] {
  const varying = varyingFactors({ show, factors });
  if (show.as === "gallery") return [];
  if (show.as === "histogram") return varying;
  if (show.as === "lines") return varying.filter((name) => show.panels.includes(name));
  const inRows = varying.filter((name) => show.rows.includes(name));
  const above = rows.length > colours.length ? inRows.slice(0, -1) : [];
  return varying.filter((name) => name === "measure" || above.includes(name));
}

/** The panels of a result, row after row. */
export function panelsOf(result: PlottedResult): Panel[] {
  const names = panelFactors(result);
  const part = (headings: readonly Heading[], factors: readonly string[]) => {
    const own = names.filter((name) => factors.includes(name));
    const groups = Map.groupBy(
      headings.keys(),
      (i) => JSON.stringify(own.map((name) => headings[i]!.levels[name])),
    );
    return [...groups.values()];
  };
  const columns = result.columns.length === 0
    ? [[]]
    : part(result.columns, columnFactors(result.show));
  return part(result.rows, rowFactors(result.show))
    .flatMap((rows) => columns.map((columns) => ({ rows, columns })))
    .map(({ rows, columns }, i) => {
      const headings = [
        result.rows[rows[0]!]!,
        ...columns.slice(0, 1).map((c) => result.columns[c]!),
      ];
      // The axis names the measure.
      const others = names.filter((name) => name !== "measure");
      const title = headingTitle(cellLevels(result, headings), {
        names: others.length > 0 ? others : names,
        factors: result.factors,
      }).title;
      return { title, rows, columns, axis: i === 0 ? "" : String(i + 1) };
    });
}

/** What a row or column is called within its panel. */
export function titleWithin(
  result: PlottedResult,
  { levels, names }: { readonly levels: Levels; readonly names: readonly string[] },
): string {
  const fixed = fixedFactors(result).map(({ name }) => name);
  const panels = panelFactors(result);
  const own = names.filter((name) => !panels.includes(name));
  const varying = own.filter((name) => !fixed.includes(name));
  const { factors } = result;
  return headingTitle(levels, { names: varying.length > 0 ? varying : own, factors }).title;
}

/** The measure of a panel with its unit; the unit alone where a panel has several measures. */
export function measureTitle(result: PlottedResult, { rows, columns }: Panel): string {
  const headings = (row: number): Heading[][] =>
    columns.length === 0
      ? [[result.rows[row]!]]
      : columns.map((column) => [result.rows[row]!, result.columns[column]!]);
  const measures = rows.flatMap(headings).map((cell) =>
    measureAt(result, cellLevels(result, cell))
  );
  const distinct = (values: readonly string[]) => [...new Set(values)].join(", ");
  const unit = distinct(measures.map(({ unit }) => unit));
  const title = distinct(measures.map(({ title }) => title));
  // A panel is about 26 letters high.
  return new Set(measures).size > 1 ? unit : [...wrap(title, 26), `(${unit})`].join("<br>");
}

/** What a figure says above its panels, and how high they are. */
export interface LayoutOptions {
  readonly panels: readonly Panel[];
  /** Added to the title. */
  readonly topic?: string;
  readonly subtitle: string;
  /** Names of the series. */
  readonly legend: readonly string[];
  /** CSS pixels. */
  readonly panelHeight: number;
}

/** Everything of a layout but axes: title, legend, font, height, and the titles of panels. */
export function baseLayout(
  result: PlottedResult,
  { panels, topic = "", subtitle, legend, panelHeight }: LayoutOptions,
) {
  const seeds = `${result.seeds.length} seed${result.seeds.length === 1 ? "" : "s"}`;
  const grid = panelGrid(result, panels);
  const title = wrap(fullTitle(result) + topic, 108);
  const above = 50 + 25 * title.length;
  const top = above + 20 * legendLines(legend) + (panels.length === 1 ? 10 : 30);
  const bottom = 60;
  const height = top + grid.rows * panelHeight + bottom;
  const fromTop = (pixels: number) => round(1 - pixels / height);
  return {
    title: {
      text: title.join("<br>"),
      subtitle: { text: `${result.profile} profile, ${seeds}; ${subtitle}` },
      x: 0.01,
      xanchor: "left",
      y: fromTop(16),
      yanchor: "top",
    },
    legend: {
      orientation: "h",
      yref: "container",
      x: 0,
      y: fromTop(above - 3),
      yanchor: "top",
      traceorder: "normal",
    },
    height,
    font: { family: "DejaVu Sans, Verdana, sans-serif", size: 13, color: "#202020" },
    // Names are shown in full.
    hoverlabel: { namelength: -1 },
    paper_bgcolor: "#ffffff",
    plot_bgcolor: "#ffffff",
    margin: { l: 70, r: 20, t: top, b: bottom },
    ...panels.length === 1 ? {} : { grid, annotations: panels.map(panelTitle) },
  };
}

/** Lines of a legend of equally wide entries, in 1000 pixels; about 8 a letter, 50 a symbol. */
function legendLines(names: readonly string[]): number {
  const longest = Math.max(0, ...names.map(({ length }) => length));
  return Math.ceil(names.length / Math.max(1, Math.floor(1000 / (8 * longest + 50))));
}

/**
 * Panels by two factors stand in rows and columns by them, histograms under each other, others
 * nearly in a square.
 */
export function panelGrid(result: PlottedResult, { length }: readonly Panel[]) {
  const names = panelFactors(result);
  const last = names.length < 2 ? 0 : factorOf(result, names.at(-1)!).levels.length;
  const columns = result.show.as === "histogram"
    ? 1
    : last > 0 && length % last === 0
    ? last
    : Math.ceil(Math.sqrt(length));
  return {
    rows: Math.ceil(length / columns),
    columns,
    pattern: "independent",
    xgap: 0.2,
    ygap: 0.25,
  };
}

function panelTitle({ title, axis }: Panel) {
  return {
    text: `<b>${title}</b>`,
    xref: `x${axis} domain`,
    yref: `y${axis} domain`,
    x: 0,
    y: 1.02,
    xanchor: "left",
    yanchor: "bottom",
    showarrow: false,
  };
}

/** What the lines of a figure are. */
export function intervalSentence(result: PlottedResult): string {
  const concepts = result.schema === "lg-cav/result-histogram" ? [] : result.rows.flatMap(
    ({ cells }) => cells.flatMap((cell) => cell.status === "measured" ? [cell.concepts] : []),
  );
  const over = concepts.length === 0
    ? ""
    : ` over ${Math.max(...concepts)} ${resampledNoun(result)}`;
  return `${+(100 * result.statistics.confidence).toFixed(2)} % bootstrap intervals${over}`;
}

/** Okabe and Ito's colours, which people with any colour vision tell apart, and two more. */
const colours = [
  "#0072b2",
  "#e69f00",
  "#009e73",
  "#d55e00",
  "#56b4e9",
  "#cc79a7",
  "#999999",
  "#b8a900",
  "#000000",
] as const;

const symbols = [
  "circle",
  "square",
  "diamond",
  "triangle-up",
  "cross",
  "x",
  "star",
  "hexagon",
  "triangle-down",
] as const;

/** The colour and the symbol of a series, by its place among all series. */
export function styleOf(place: number): { readonly color: string; readonly symbol: string } {
  return { color: colours[place % colours.length]!, symbol: symbols[place % symbols.length]! };
}

/** Six digits are beyond any eye and keep the last float64 bits of a platform out of the file. */
export const round = (value: number) => Number(value.toPrecision(6));

/** The traces, each series in the legend where it comes first. */
export function legendOnce<T extends { readonly name: string; readonly showlegend: boolean }>(
  traces: readonly T[],
): T[] {
  const named = new Set<string>();
  return traces.map((trace) => {
    const showlegend = trace.showlegend && !named.has(trace.name);
    if (showlegend) named.add(trace.name);
    return { ...trace, showlegend };
  });
}

/** An axis of a panel; its title first. */
export interface Axis {
  readonly title: { readonly text: string };
  readonly [field: string]: unknown;
}

/**
 * The axes of every panel by their names in a layout. A title is not said again beside or above
 * itself.
 */
export function axesOf(
  result: PlottedResult,
  { panels, axes }: {
    readonly panels: readonly Panel[];
    readonly axes: (panel: Panel) => { readonly x: Axis; readonly y: Axis };
  },
): Record<string, Axis> {
  const { columns } = panelGrid(result, panels);
  const all = panels.map(axes);
  return Object.fromEntries(panels.flatMap(({ axis }, i) => {
    const { x, y } = all[i]!;
    const left = i % columns === 0 ? undefined : all[i - 1]!.y;
    const below = all[i + columns]?.x;
    return [
      [`xaxis${axis}`, below?.title.text === x.title.text ? withoutTitle(x) : x],
      [`yaxis${axis}`, left?.title.text === y.title.text ? withoutTitle(y) : y],
    ];
  }));
}

const withoutTitle = (axis: Axis): Axis => ({ ...axis, title: { text: "" } });

/** A grey grid with a line at 0. */
export const gridLines = { gridcolor: "#e6e6e6", zerolinecolor: "#808080" } as const;
