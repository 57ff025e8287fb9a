import { axesOf, baseLayout, gridLines, panelsOf, round, styleOf } from "./_layout.ts";
import type { Figure } from "./figure.ts";
import type { Histogram, ResultHistogram } from "./result.ts";

/**
 * Histograms under each other on one axis of x, so that places and spreads can be compared whatever
 * the heights, each with its Gaussian.
 */
export function histogramFigure(result: ResultHistogram): Figure {
  const panels = panelsOf(result);
  const data = panels.flatMap(({ rows, axis }) =>
    rows.flatMap((row) => {
      const { title, histogram } = result.rows[row]!;
      if (histogram.status === "not run") return [];
      const { color } = styleOf(row);
      const shared = { xaxis: `x${axis}`, yaxis: `y${axis}`, name: title, showlegend: false };
      return [
        { ...shared, ...bars(histogram), marker: { color, opacity: 0.45 } },
        { ...shared, ...gaussian(histogram), line: { color, width: 2 } },
      ];
    })
  );
  const units = [...new Set(result.measures.map(({ unit }) => unit))].join(", ");
  const subtitle = "curves are the Gaussians of the same mean and deviation";
  return {
    data,
    layout: {
      ...baseLayout(result, { panels, subtitle, legend: [], panelHeight: 150 }),
      bargap: 0,
      ...axesOf(result, {
        panels,
        axes: ({ axis }) => ({
          x: {
            ...axis === "" ? {} : { matches: "x" },
            title: { text: units },
            ...gridLines,
            zeroline: false,
          },
          y: { title: { text: "density" }, ...gridLines, automargin: true, nticks: 4 },
        }),
      }),
    },
  };
}

function bars({ edges, counts, values }: Histogram) {
  const widths = counts.map((_, bin) => edges[bin + 1]! - edges[bin]!);
  return {
    type: "bar",
    x: counts.map((_, bin) => round((edges[bin]! + edges[bin + 1]!) / 2)),
    y: counts.map((count, bin) => round(count / (values * widths[bin]!))),
    width: widths.map(round),
  };
}

/** The Gaussian from the lowest to the highest value; no curve where all values are equal. */
function gaussian({ edges, mean, deviation }: Histogram) {
  const [low, high] = [edges[0]!, edges.at(-1)!];
  const x = deviation === 0
    ? []
    : Array.from({ length: 101 }, (_, i) => low + (i / 100) * (high - low));
  const density = (at: number) =>
    Math.exp(-(((at - mean) / deviation) ** 2) / 2) / (deviation * Math.sqrt(2 * Math.PI));
  return {
    type: "scatter",
    mode: "lines",
    x: x.map(round),
    y: x.map((at) => round(density(at))),
    hoverinfo: "skip",
  };
}
