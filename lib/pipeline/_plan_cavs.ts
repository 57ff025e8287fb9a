import { type Method, takesLabels } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import { trainingEstimate } from "./_estimates.ts";
import { dialsOf } from "./_plan_dials.ts";
import { planLanguage, rowCount, rowsOf } from "./_plan_language.ts";
import type { CellParts, Known } from "./_planning.ts";
import type { Stage } from "./stage.ts";
import { type Cavs, cavsKind, shotsKind } from "./stages/mod.ts";

/** What the methods of each base look at, besides the labelled images where there are any. */
const looksAt = {
  random_cav: "nothing",
  original_cav: "number of probes",
  concept_gradient: "number of probes",
  text_to_concept: "language",
  oa_tcav: "language",
  lg_cav: "language",
  mean_difference: "nothing",
  fast_cav: "nothing",
  ridge_cav: "nothing",
  svm_cav: "nothing",
  logistic_cav: "nothing",
} as const satisfies Record<Method["base"], string>;

/** The stage of a cell's CAVs: what its method does not look at is in no need. */
export async function planCavs(parts: CellParts, known: Known): Promise<Stage<Cavs>> {
  const { cell: { levels, settings }, data, target, output, method, seed } = parts;
  const { count } = settings.probes;
  const { labelNoise } = dialsOf(settings);
  const { id: _, title: __, ...identity } = method;
  if (data.own === undefined) requireNoLabels(method, known);
  // The classifiers look at no probe; where their number is known they need not wait for them.
  const probeCount = looksAt[method.base] === "number of probes" && count !== "pool"
    ? count
    : undefined;
  const language = looksAt[method.base] === "nothing" || probeCount !== undefined
    ? undefined
    : await planLanguage(parts, known);
  const labelled = takesLabels(method);
  const features = rowsOf("features", { model: target, output, data }, known);
  const swept = Object.entries(levels)
    .filter(([name]) => !["dataset", "backbone", "vlModel", "method", "seed"].includes(name))
    .filter(([name, level]) => name !== "layer" || level !== "last")
    .map(([name, level]) => `${name} ${level}`);
  return known.graph.stage(cavsKind, {
    id: [
      ...["cavs", target.name, method.id],
      ...(data.own ? [] : [data.name]),
      ...swept,
      `seed ${seed}`,
    ].join(" "),
    inputs: {
      method: identity as Method,
      seed,
      ...(probeCount !== undefined && { probeCount }),
      engine: known.engine,
    },
    needs: {
      concepts: data.concepts,
      ...(data.own && labelled && { shots: planShots(parts, known) }),
      ...(looksAt[method.base] === "language" ? features : { features0: features.features0! }),
      ...(language && { probes: language.probes }),
      ...(language && looksAt[method.base] === "language" && {
        text: language.text,
        ...language.vlRows,
      }),
    },
    how: {
      shots: data.own && labelled ? settings.shots : null,
      ...(labelled && labelNoise !== undefined && { labelNoise }),
    },
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

/** Concepts without labelled images: language alone says what they are. */
function requireNoLabels(method: Method, { experiment }: Known): void {
  if (method.base === "random_cav") return;
  if (method.base === "lg_cav" && !method.parts.includes("dsr")) return;
  throw new UserError(
    `Experiment ${experiment.id} makes CAVs of classes, of which there are words and no labelled ` +
      `images, and ${method.title} (${method.id}) takes some. Take LG-CAV without DSR.`,
  );
}

/** The stage that draws the labelled images of a cell's seed. */
export function planShots({ cell: { settings }, data, seed }: CellParts, known: Known) {
  const { shots } = settings;
  const { labelNoise } = dialsOf(settings);
  const noise = labelNoise === undefined ? "" : `, label noise ${labelNoise}`;
  return known.graph.stage(shotsKind, {
    id: `${shots} shots of seed ${seed}${noise}`,
    inputs: { shots, seed, ...(labelNoise !== undefined && { labelNoise }) },
    needs: { concepts: data.concepts },
    how: null,
    work: "draws the labelled images that may train",
  });
}
