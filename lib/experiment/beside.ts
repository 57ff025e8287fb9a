import { type MeasureName, measureNames, measureOf } from "../metrics/mod.ts";
import type { Experiment } from "./experiment.ts";
import { factorLevels } from "./factors.ts";

type Over = ReturnType<typeof measureOf>["over"];

/** Measures of CAVs of labelled concepts: what a control gets says how to read them. */
const controlled: readonly Over[] = ["concepts", "pairs", "relations", "seeds", "other concepts"];

/**
 * The tables that stand below that of an experiment whose settings name controls: what the controls
 * get in each of its cells, and the share of pairs whose values are significant against them. None of
 * what is no table of means, sweeps hyper-parameters that controls do not have, or measures no CAVs of
 * labelled concepts.
 */
export function besideTables(experiment: Experiment): Experiment[] {
  const { show, measures, settings, factors } = experiment;
  const own = factorLevels(experiment).get("method")!;
  const controls = (settings.controls?.value ?? []).filter((control) => !own.includes(control));
  const sweeps = Object.keys(factors).some((name) => name.startsWith("method."));
  if (show.as !== "table" || show.statistic !== "mean" || sweeps || controls.length === 0) {
    return [];
  }
  const ofCavs = measures.filter((name) => controlled.includes(measureOf(name).over));
  const tests = measures.flatMap(testsOf).filter((name) => !measures.includes(name));
  return [
    ...ofCavs.length === 0 ? [] : [{
      ...without(experiment),
      id: "controls",
      title: "Controls",
      measures: ofCavs as [MeasureName, ...MeasureName[]],
      factors: { ...factors, method: controls },
      show: withMethod(show),
    }],
    ...tests.length === 0 || settings.falseDiscoveryRate === undefined ? [] : [{
      ...without(experiment),
      id: "significance",
      title: "Share of the pairs that stand out from the controls (%)",
      measures: tests as [MeasureName, ...MeasureName[]],
      show: withoutComparison(show),
    }],
  ];
}

/** The measures that tell whether values of a measure are significant. */
function testsOf(tested: MeasureName): MeasureName[] {
  return measureNames.filter((name) => {
    const measure = measureOf(name);
    return measure.over === "significance" && measure.of === tested;
  });
}

/** What a table below another does not repeat. */
function without({ paper: _, prediction: __, ...rest }: Experiment): Experiment {
  return { ...rest, quoted: [] };
}

type Table = Extract<Experiment["show"], { readonly as: "table" }>;

function withoutComparison({ compare: _, against: __, ...show }: Table): Table {
  return show;
}

/** Controls are several methods, where the table may show one. */
function withMethod(show: Table): Table {
  const rest = withoutComparison(show);
  if ([...rest.rows, ...rest.columns].includes("method")) return rest;
  return { ...rest, rows: ["method", ...rest.rows] };
}
