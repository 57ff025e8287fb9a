import { rowFactors } from "./_factors.ts";
import {
  axesOf,
  baseLayout,
  gridLines,
  legendOnce,
  measureTitle,
  panelsOf,
  round,
  styleOf,
  titleWithin,
} from "./_layout.ts";
import type { Figure } from "./figure.ts";
import type { Histogram, ResultHistogram } from "./result.ts";

/** Densities, so that series of another spread or number can share a panel, and their Gaussians. */
export function histogramFigure(result: ResultHistogram): Figure {
  const panels = panelsOf(result);
  const nameOf = (row: number) => {
    const { levels } = result.rows[row]!;
    return titleWithin(result, { levels, names: rowFactors(result.show) });
  };
  const titles = [...new Set(result.rows.map((_, row) => nameOf(row)))];
  const data = panels.flatMap((panel) =>
    panel.rows.flatMap((row) => {
      const { histogram } = result.rows[row]!;
      if (histogram.status === "not run") return [];
      const name = nameOf(row);
      const { color } = styleOf(titles.indexOf(name));
      const shared = {
        xaxis: `x${panel.axis}`,
        yaxis: `y${panel.axis}`,
        name,
        legendgroup: name,
      };
      return [
        { ...shared, ...bars(histogram), marker: { color, opacity: 0.45 }, showlegend: true },
        { ...shared, ...gaussian(histogram), line: { color, width: 2 }, showlegend: false },
      ];
    })
  );
  const subtitle = "curves are the Gaussians of the same mean and deviation";
  return {
    data: legendOnce(data),
    layout: {
      ...baseLayout(result, { panels, subtitle, legend: titles, panelHeight: 300 }),
      barmode: "overlay",
      bargap: 0,
      ...axesOf(result, {
        panels,
        axes: (panel) => ({
          x: { title: { text: measureTitle(result, panel) }, ...gridLines, zeroline: false },
          y: { title: { text: "density" }, ...gridLines, automargin: true },
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
