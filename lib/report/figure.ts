import { barFigure } from "./_bar_figure.ts";
import { histogramFigure } from "./_histogram_figure.ts";
import { lineFigure } from "./_line_figure.ts";
import type { PlottedResult } from "./result.ts";

/** A plotly figure as data: what `Plotly.newPlot` takes and application/vnd.plotly.v1+json holds. */
export interface Figure {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly layout: Readonly<Record<string, unknown>>;
}

/**
 * A result as a figure. A table: grouped bars with bootstrap intervals, a group for each column, a
 * bar for each row. Lines: the mean over x with its interval as a band. Histograms: densities with
 * the fitted Gaussians over them.
 */
export function resultFigure(result: PlottedResult): Figure {
  if (result.schema === "lg-cav/result-histogram") return histogramFigure(result);
  return result.show.as === "lines" ? lineFigure(result, result.show) : barFigure(result);
}
