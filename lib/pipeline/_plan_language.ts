import { join } from "node:path";
import type { FeatureRows } from "../activations/mod.ts";
import { controlledGuidance, loadConfig, promptsSchema } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import { textRuntimeVersion } from "../models/mod.ts";
import { probesEstimate } from "./_estimates.ts";
import { planFeatures } from "./_plan_features.ts";
import { planDialRows, planDialText } from "./_plan_dials.ts";
import { type CellParts, type Known, once } from "./_planning.ts";
import type { PlannedData } from "./plan_data.ts";
import type { PlannedModel } from "./plan_models.ts";
import type { Stage } from "./stage.ts";
import { probesKind, textKind } from "./stages/mod.ts";
import { UnavailableError } from "./unavailable_error.ts";

/** Features of the concepts' images, then of each other source of the pool. */
export function rowsOf<Prefix extends "features" | "vl">(
  prefix: Prefix,
  { model, output, data }: {
    readonly model: PlannedModel;
    readonly output: string;
    readonly data: PlannedData;
  },
  known: Known,
): Readonly<Record<`${Prefix}${number}`, Stage<FeatureRows>>> {
  const { concepts, own, pool } = data;
  const places = pool.map(({ files }) => files.key);
  const name = [prefix, model.name, output, concepts.key, ...places].join(" ");
  const before = known.laidOut.rows.get(name);
  if (before !== undefined) return before;
  const sources = [
    ...(own ? [{ images: own, chosen: { concepts } }] : []),
    ...pool.map((images) => ({ images, chosen: { readable: images.readable } })),
  ];
  const entries = sources.map(({ images, chosen }, index) => [
    `${prefix}${index}`,
    featuresOf({ images, chosen, model, output }, known),
  ]);
  const rows = Object.fromEntries(entries);
  known.laidOut.rows.set(name, rows);
  return rows;
}

/** The same for one source, at the profile's batch. */
export function featuresOf(
  { images, chosen, model, output }: Omit<Parameters<typeof planFeatures>[0], "id">,
  { graph, request: { device }, profile: { batch } }: Known,
): Stage<FeatureRows> {
  const id = `features ${model.name}${output === "features" ? "" : ` ${output}`} ${images.name}`;
  return planFeatures({ id, images, chosen, model, output }, { graph, device, batch });
}

/** The stage of the text features of a cell's concepts, or of random words in their place. */
export async function planText(
  { data, vl }: Pick<CellParts, "data" | "vl">,
  known: Known,
  { wordsOfSeed }: { readonly wordsOfSeed?: number | undefined } = {},
) {
  const { prompt, ensemble } = await promptsOf(known);
  return known.graph.stage(textKind, {
    id: `text ${vl.name} ${
      wordsOfSeed === undefined ? data.name : `random words seed ${wordsOfSeed}`
    }`,
    inputs: {
      model: vl.identity,
      prompts: { prompt, ensemble },
      device: known.request.device,
      runtime: textRuntimeVersion,
      ...(wordsOfSeed !== undefined && { wordsOfSeed }),
    },
    needs: { concepts: data.concepts },
    how: { model: vl.how },
    work: `${1 + ensemble.length} prompts a concept`,
  });
}

async function promptsOf(known: Known) {
  const path = "configs/paper/prompts.json";
  const prompts = await once(
    known.laidOut.prompts,
    path,
    () => loadConfig(join(known.request.root, path), promptsSchema),
  );
  known.configs[path] = prompts;
  return prompts;
}

/** What language says of the images, as the dials have it: the text, the VL features and the probes. */
export async function planLanguage(
  { cell, data, vl, method, seed }: CellParts,
  known: Known,
) {
  const wordsOfSeed = controlledGuidance(method) === "random words" ? seed : undefined;
  const { prompt, ensemble } = await promptsOf(known);
  const text = planDialText(
    await planText({ data, vl }, known, { wordsOfSeed }),
    { cell, data, templates: [prompt, ...ensemble] },
    known,
  );
  const vlRows = planDialRows(
    rowsOf("vl", { model: vl, output: "embedding", data }, known),
    { cell },
    known,
  );
  const { settings } = cell;
  const { probes: { count, choice, testNegatives }, heldOut } = settings;
  const isDrawn = choice === "random" && count !== "pool";
  const seesNegatives = testNegatives === "kept" && data.otherConcepts && data.own !== undefined;
  requireProbes(count, data, known);
  const labelled = heldOut === 0 ? undefined : labelledPool(data, known);
  const probes = known.graph.stage(probesKind, {
    id: [
      `probes ${vl.name} ${count} ${choice}`,
      ...(data.own ? [] : [data.name]),
      ...(heldOut === 0 ? [] : [`held out ${heldOut}`]),
      ...(seesNegatives ? ["with test negatives"] : []),
      ...(isDrawn ? [`seed ${seed}`] : []),
      ...(wordsOfSeed === undefined ? [] : [`random words seed ${wordsOfSeed}`]),
    ].join(" "),
    inputs: {
      count,
      choice,
      ...(isDrawn && { seed }),
      ...(seesNegatives && { testNegatives: true as const }),
      otherConcepts: data.otherConcepts,
      heldOut,
      ...(labelled && { of: labelled.of }),
      ...(wordsOfSeed !== undefined && { control: true as const }),
    },
    needs: {
      concepts: data.concepts,
      text,
      ...vlRows,
      ...(labelled && { poolFiles: labelled.files, poolReadable: labelled.readable }),
    },
    how: null,
    work: `chooses ${count} probe images a concept`,
    estimate: vl.costOf &&
      probesEstimate({
        concepts: data.conceptCount,
        images: rowCount(data),
        width: vl.costOf("embedding").width,
      }),
  });
  return { text, vlRows, probes };
}

/** How many rows {@linkcode rowsOf} has, at most. */
export function rowCount({ own, pool }: PlannedData): number {
  return [...(own ? [own] : []), ...pool].reduce((sum, { count }) => sum + count, 0);
}

/** Refuses more probes than images can be there; how many there are is known when they are listed. */
function requireProbes(
  count: number | "pool",
  { own, pool, otherConcepts }: PlannedData,
  { experiment }: Known,
): void {
  const sources = otherConcepts && own ? [own, ...pool] : pool;
  const most = sources.reduce((sum, source) => sum + source.count, 0);
  if (count === "pool" || most === 0 || count <= most) return;
  throw new UserError(
    `Experiment ${experiment.id} asks for ${count} probe images of a concept, and there are ${most} ` +
      `at most. Lower "probes.count", or add images to the probe pool of the profile.`,
  );
}

/** The source of probes whose images have classes: it also shows where gradients are taken. */
export function labelledPool({ pool }: PlannedData, { profile, experiment }: Known) {
  const [first] = pool;
  if (first !== undefined && first.of.format === "imagenet") {
    return { ...first, of: first.of };
  }
  throw new UnavailableError(
    `Experiment ${experiment.id} takes gradients at images of the probe pool's classes, and the ` +
      `profile ${profile.name} has no such pool. Add a dataset with classes to its probePool.`,
  );
}
