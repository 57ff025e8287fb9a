import type { Correction, RunnableCorrection } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import type { LastLayer } from "../models/mod.ts";
import { runtimeVersion } from "../onnx/mod.ts";
import { correctionEstimate } from "./_estimates.ts";
import { type AnyMethod, makesCavs, readMethod } from "./_methods.ts";
import { planCavs } from "./_plan_cavs.ts";
import {
  planClassConcepts,
  planClassLayer,
  planClassNames,
  planSceneConcepts,
  splitFeatures,
} from "./_plan_class_concepts.ts";
import { planConceptDataset } from "./_plan_dataset.ts";
import { planText } from "./_plan_language.ts";
import { type ClassParts, type Known, once } from "./_planning.ts";
import type { PlannedData } from "./plan_data.ts";
import type { NodeSpec, Stage } from "./stage.ts";
import { type CorrectedLayer, correctedLayerKind, type CorrectedLayerNeeds } from "./stages/mod.ts";
import { plain } from "../config/mod.ts";

/** A cell whose method corrects a last layer. */
export type CorrectionParts = ClassParts & { readonly method: RunnableCorrection };

/** What the corrections of each base look at, besides the training images and their classes. */
const looksAt = {
  original: "nothing",
  uniform_retraining: "nothing",
  asr: "class CAVs",
  concept_distillation: "class CAVs",
  knowledge_distillation: "class names",
  label_free_cbm: "words",
  group_balanced_retraining: "scenes",
  cav_projection: "scene CAVs",
  cav_gradient_penalty: "scene CAVs",
} as const satisfies Record<RunnableCorrection["base"], string>;

/** The layer of a cell: the uncorrected one, or the one that the cell's correction makes of it. */
export async function planLayer(
  parts: CorrectionParts,
  known: Known,
): Promise<Stage<LastLayer> | Stage<CorrectedLayer>> {
  const layer = await planUncorrected(parts, known);
  const { method, seed } = parts;
  if (method.base === "original") return layer;
  const needs = await neededParts(parts, { layer, known });
  return correctedLayer(parts, { correction: method, seed, needs: { layer, ...needs }, known });
}

/** The layer that corrections start from: the model's own, or one that is fitted first. */
export async function planUncorrected(parts: ClassParts, known: Known): Promise<Stage<LastLayer>> {
  const layer = planClassLayer(parts, known);
  const { lastLayer = "own" } = parts.cell.settings;
  if (lastLayer === "own") return layer;
  const correction = runnable(await methodOf(lastLayer, known));
  if (correction === undefined || looksAt[correction.base] !== "nothing") {
    throw new UserError(
      `Experiment ${known.experiment.id} fits the last layer by ${lastLayer}, which looks at more ` +
        `than the training images and their classes. Name a correction such as "refit", or "own".`,
    );
  }
  return correctedLayer(parts, { correction, seed: 0, needs: { layer }, known });
}

/** What a config names, with the hyper-parameters that it has there. */
async function methodOf(name: string, known: Known): Promise<AnyMethod> {
  return plain(await once(known.methods, name, (name) => readMethod(name, known))) as AnyMethod;
}

/** The correction of a method, unless it makes CAVs or is only quoted. */
export function runnable(method: AnyMethod): RunnableCorrection | undefined {
  return makesCavs(method) || method.base === "quoted" ? undefined : method;
}

/** The stage of a corrected layer. */
function correctedLayer(
  { cell: { hyperparameters }, classes, target }: ClassParts,
  { correction, seed, needs, known }: {
    readonly correction: RunnableCorrection;
    readonly seed: number;
    readonly needs: Needs & { readonly layer: Stage<LastLayer> };
    readonly known: Known;
  },
): Stage<CorrectedLayer> {
  const { id, title, ...identity } = correction;
  const { images, labels } = classes.train;
  const swept = Object.entries(hyperparameters).map(([name, level]) => `${name} ${level}`);
  return known.graph.stage(correctedLayerKind, {
    id: [id, "of", target.name, images.name, ...swept, `seed ${seed}`].join(" "),
    inputs: { correction: identity as RunnableCorrection, seed, runtime: runtimeVersion },
    needs: {
      features0: splitFeatures(images, { model: target, output: "features" }, known),
      labels,
      ...needs,
    },
    how: null,
    work: `${title} of the last layer`,
    estimate: target.costOf && correctionEstimate(correction, {
      images: images.count,
      dim: target.costOf("features").width,
      classes: classes.classCount,
    }),
  });
}

type Needs = Partial<NodeSpec<CorrectedLayerNeeds, unknown, unknown>["needs"]>;

/** The stages of what a correction looks at. */
async function neededParts(
  parts: CorrectionParts,
  { layer, known }: { readonly layer: Stage<LastLayer>; readonly known: Known },
): Promise<Needs> {
  const { classes: { train }, vl, cell: { settings } } = parts;
  const vl0 = () => splitFeatures(train.images, { model: vl, output: "embedding" }, known);
  switch (looksAt[parts.method.base]) {
    case "nothing":
      return {};
    case "class CAVs": {
      const data = await planClassConcepts(parts, { layer }, known);
      return { cavs: await planCorrectionCavs(parts, data, known) };
    }
    case "scene CAVs": {
      const data = planSceneConcepts(parts, known);
      return { artefacts: await planCorrectionCavs(parts, data, known) };
    }
    case "scenes":
      return { scenes: train.scenes() };
    case "class names": {
      const data = planClassNames(parts, known);
      return { vl0: vl0(), names: await planText({ data, vl }, known) };
    }
    case "words": {
      const { bottleneck } = settings;
      if (bottleneck === undefined) {
        throw new UserError(
          `Experiment ${known.experiment.id} runs ${parts.method.id}, and its settings name no ` +
            `dataset of concepts as "bottleneck". Add it.`,
        );
      }
      const data = await planConceptDataset(bottleneck, known);
      return { vl0: vl0(), bottleneck: await planText({ data, vl }, known) };
    }
  }
}

/** The CAVs that a correction uses, by the method that it names. */
async function planCorrectionCavs(parts: CorrectionParts, data: PlannedData, known: Known) {
  const { cavMethod } = parts.method as Extract<Correction, { readonly cavMethod: string }>;
  const method = await methodOf(cavMethod, known);
  if (!makesCavs(method)) {
    throw new UserError(
      `configs/corrections/${parts.method.id}.json names ${cavMethod} as its "cavMethod", which ` +
        `makes no CAVs. Name a method of configs/methods.`,
    );
  }
  // What the cell sweeps belongs to its correction.
  const { levels, ...cell } = parts.cell;
  const own = Object.fromEntries(
    Object.entries(levels).filter(([name]) => !name.startsWith("method.")),
  );
  const ofCavs = { ...parts, cell: { ...cell, levels: own }, data, method, output: "features" };
  return await planCavs(ofCavs, known);
}
