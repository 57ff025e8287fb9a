import { placedCells } from "./_cells.ts";
import { comparedFactor, factorOf, headingTitle, varyingFactors } from "./_factors.ts";
import { baseLayout, intervalSentence, round, styleOf } from "./_layout.ts";
import type { Comparison } from "./comparison.ts";
import type { Figure } from "./figure.ts";
import type { Result } from "./result.ts";

/** A comparison, and what it is called. */
interface Step {
  /** The two levels that are compared. */
  readonly label: string;
  /** The other levels that vary. */
  readonly where: string;
  readonly against: Comparison;
}

/**
 * What each level of the compared factor adds to the measured one before it: one point for each
 * combination of the others, with the bootstrap interval of the difference. Left of 0 it is lower.
 * Empty where nothing is compared, as of histograms and deviations.
 */
export function differenceFigure(result: Result): Figure {
  const steps = stepsOf(result);
  const groups = [...Map.groupBy(steps, ({ where }) => where)];
  const labels = new Set(steps.map(({ label }) => label)).size;
  const panels = [{ title: "", rows: [], columns: [], axis: "" }];
  const legend = groups.map(([where]) => where);
  const panelHeight = labels * (20 + 12 * groups.length);
  const subtitle = `lines are ${intervalSentence(result)}`;
  const units = [...new Set(result.measures.map(({ unit }) => unit))].join(", ");
  return {
    data: groups.map(([where, group], i) => trace(group, { name: where, place: i })),
    layout: {
      ...baseLayout(result, { panels, topic: ": what each adds", subtitle, legend, panelHeight }),
      scattermode: "group",
      scattergap: 0.3,
      xaxis: {
        title: { text: `Difference (${units})` },
        gridcolor: "#e6e6e6",
        zeroline: true,
        zerolinecolor: "#404040",
        zerolinewidth: 2,
        rangemode: "tozero",
      },
      yaxis: { autorange: "reversed", automargin: true, gridcolor: "#e6e6e6" },
    },
  };
}

function stepsOf(result: Result): Step[] {
  const compared = comparedFactor(result);
  if (compared === null || result.schema === "lg-cav/result-histogram") return [];
  const { factors } = result;
  const others = varyingFactors(result).filter((name) => name !== compared);
  const titleAt = (level: string | number) =>
    factorOf(result, compared).levels.find((of) => of.level === level)!.title;
  return placedCells(result).flatMap(({ cell, levels }) => {
    const against = cell.status === "measured" ? cell.against : null;
    if (against === null) return [];
    const label = `${titleAt(levels[compared]!)}<br>minus ${titleAt(against.level)}`;
    return [{ label, where: headingTitle(levels, { names: others, factors }).title, against }];
  });
}

function trace(
  steps: readonly Step[],
  { name, place }: { readonly name: string; readonly place: number },
): Figure["data"][number] {
  return {
    type: "scatter",
    mode: "markers",
    orientation: "h",
    name,
    x: steps.map(({ against }) => round(against.difference)),
    y: steps.map(({ label }) => label),
    error_x: {
      type: "data",
      symmetric: false,
      array: steps.map(({ against }) =>
        round((against.high ?? against.difference) - against.difference)
      ),
      arrayminus: steps.map(({ against }) =>
        round(against.difference - (against.low ?? against.difference))
      ),
      thickness: 1.2,
      width: 0,
    },
    marker: { ...styleOf(place), size: 8 },
    offsetgroup: name,
  };
}
