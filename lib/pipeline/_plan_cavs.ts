import type { Method } from "../config/mod.ts";
import { trainingEstimate } from "./_estimates.ts";
import { planLanguage, rowCount, rowsOf } from "./_plan_language.ts";
import type { CellParts, Known } from "./_planning.ts";
import type { Stage } from "./stage.ts";
import { type Cavs, cavsKind, shotsKind } from "./stages/mod.ts";

/** The stage of a cell's CAVs: what its method does not look at is in no need. */
export async function planCavs(parts: CellParts, known: Known): Promise<Stage<Cavs>> {
  const { cell: { levels, settings }, data, target, output, method, seed } = parts;
  const { count } = settings.probes;
  const { id: _, title: __, ...identity } = method;
  // The classifiers look at no probe; where their number is known they need not wait for them.
  const ofLabels = method.base === "original_cav" || method.base === "concept_gradient";
  const probeCount = ofLabels && count !== "pool" ? count : undefined;
  const language = probeCount === undefined ? await planLanguage(parts, known) : undefined;
  const shots = planShots(parts, known);
  const features = rowsOf("features", { model: target, output, data }, known);
  const swept = Object.entries(levels)
    .filter(([name]) => !["dataset", "backbone", "vlModel", "method", "seed"].includes(name))
    .filter(([name, level]) => name !== "layer" || level !== "last")
    .map(([name, level]) => `${name} ${level}`);
  return known.graph.stage(cavsKind, {
    id: ["cavs", target.name, method.id, ...swept, `seed ${seed}`].join(" "),
    inputs: {
      method: identity as Method,
      seed,
      ...(probeCount !== undefined && { probeCount }),
      engine: known.engine,
    },
    needs: {
      concepts: data.concepts,
      shots,
      ...(ofLabels ? { features0: features.features0! } : features),
      ...(language && { probes: language.probes }),
      ...(language && !ofLabels && { text: language.text, ...language.vlRows }),
    },
    how: { shots: settings.shots },
    work: `${method.title} for each concept`,
    estimate: target.costOf &&
      trainingEstimate(method, {
        concepts: data.conceptCount,
        images: rowCount(data),
        probes: count === "pool" ? rowCount(data) : count,
        shots: settings.shots,
        dim: target.costOf(output).width,
      }),
  });
}

/** The stage that draws the labelled images of a cell's seed. */
export function planShots({ cell: { settings: { shots } }, data, seed }: CellParts, known: Known) {
  return known.graph.stage(shotsKind, {
    id: `${shots} shots of seed ${seed}`,
    inputs: { shots, seed },
    needs: { concepts: data.concepts },
    how: null,
    work: "draws the labelled images that may train",
  });
}
