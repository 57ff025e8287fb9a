import { resolve } from "node:path";
import { reweightingOf } from "../cav/mod.ts";
import type { Experiment } from "../experiment/mod.ts";
import { UserError } from "../files/mod.ts";
import { decoderVersion } from "../images/mod.ts";
import { measureOf, type SignificanceMeasure } from "../metrics/mod.ts";
import { textRuntimeVersion } from "../models/mod.ts";
import { runtimeVersion } from "../onnx/mod.ts";
import { classNamesOf } from "./_plan_class_concepts.ts";
import { planCavs, planShots } from "./_plan_cavs.ts";
import { planPeerMeasure, planSignificance } from "./_plan_controls.ts";
import { gradientsEstimate } from "./_estimates.ts";
import { poolingOf } from "./_plan_features.ts";
import { labelledPool, planLanguage, rowsOf } from "./_plan_language.ts";
import { planTruth } from "./_plan_truth.ts";
import type { CellParts, Known } from "./_planning.ts";
import type { PlannedConcepts } from "./plan_data.ts";
import type { Stage } from "./stage.ts";
import {
  type Cavs,
  gradientsKind,
  lastLayerKind,
  measureKind,
  type Measurement,
  pairsKind,
} from "./stages/mod.ts";

/** The stage of a measure of a cell's CAVs. */
export async function planMeasure(
  name: Experiment["measures"][number],
  parts: CellParts & { readonly data: PlannedConcepts; readonly cavs: Stage<Cavs> },
  known: Known,
): Promise<Stage<readonly Measurement[]>> {
  const { data, target, output, cavs } = parts;
  const { over, version, title } = measureOf(name);
  const common = {
    id: `${name} of ${cavs.id}`,
    how: null,
    work: title.toLowerCase(),
  };
  const inputs = { measure: name, version };
  const needs = { cavs, concepts: data.concepts };
  const features = rowsOf("features", { model: target, output, data }, known);
  if (over === "reweightings") return await planReweightingMeasure(name, parts, known);
  if (over === "concepts") {
    return known.graph.stage(measureKind, {
      ...common,
      inputs,
      needs: { ...needs, shots: planShots(parts, known), features0: features.features0! },
    });
  }
  if (over === "pairs" || over === "relations" || over === "significance") {
    const ofPairs = {
      pairs: await planPairs(data, known),
      gradients: planGradients(parts, known),
    };
    if (over === "significance") {
      const { of } = measureOf(name) as SignificanceMeasure;
      const values = await planMeasure(of, parts, known);
      return await planSignificance(name, parts, { known, values, ...ofPairs });
    }
    return known.graph.stage(measureKind, { ...common, inputs, needs: { ...needs, ...ofPairs } });
  }
  if (over === "seeds" || over === "other concepts") {
    return await planPeerMeasure(name, parts, known);
  }
  if (over === "starts") {
    const { method, seed } = parts;
    if (!("initialLength" in method.hyperparameters)) {
      throw new UserError(
        `The measure ${name} is of methods that start from a random vector, which ${method.title} ` +
          `(${method.id}) does not. Leave it out.`,
      );
    }
    return known.graph.stage(measureKind, { ...common, inputs: { ...inputs, seed }, needs });
  }
  if (over === "truths") {
    return known.graph.stage(measureKind, {
      ...common,
      inputs,
      needs: { ...needs, truth: await planTruth(parts, known) },
    });
  }
  if (over !== "probes") {
    throw new UserError(
      `Experiment ${known.experiment.id} measures ${name} on ${data.name}, whose concepts it says ` +
        `nothing of: it takes a dataset of classes. Name one as the factor "dataset".`,
    );
  }
  return await planProbeMeasure(name, parts, known);
}

/** The stage of a measure of what reweighting the probes did to a cell's CAVs. */
async function planReweightingMeasure(
  name: Experiment["measures"][number],
  parts: CellParts & { readonly data: PlannedConcepts; readonly cavs: Stage<Cavs> },
  known: Known,
): Promise<Stage<readonly Measurement[]>> {
  const { data, target, output, cavs, method, cell } = parts;
  const { version, title } = measureOf(name);
  if (method.base !== "lg_cav" || !method.parts.includes("dsr")) {
    throw new UserError(
      `The measure ${name} shows what DSR did, which ${method.title} (${method.id}) does not use. ` +
        `Take a method with the part "dsr".`,
    );
  }
  const { dsrNormalisation: _, dsrTemperature: __, ...hyperparameters } = method.hyperparameters;
  const withoutParts = method.parts.filter((part) => part !== "dsr");
  const id = [method.base, ...withoutParts].join("+");
  const levels = Object.entries(cell.levels).filter(([level]) => !level.startsWith("method.dsr"));
  const without = await planCavs({
    ...parts,
    cell: { ...cell, levels: Object.fromEntries(levels) },
    method: { ...method, id, title: id, parts: withoutParts, hyperparameters },
  }, known);
  const { probes } = await planLanguage(parts, known);
  return known.graph.stage(measureKind, {
    id: `${name} of ${cavs.id}`,
    inputs: { measure: name, version, reweighting: reweightingOf(method) },
    needs: {
      cavs,
      without,
      concepts: data.concepts,
      shots: planShots(parts, known),
      probes,
      ...rowsOf("features", { model: target, output, data }, known),
      pairs: await planPairs(data, known),
      gradients: planGradients(parts, known),
    },
    how: null,
    work: title.toLowerCase(),
  });
}

/** The stage of a measure of a cell's CAVs that is taken of their probes. */
export async function planProbeMeasure(
  name: Experiment["measures"][number],
  parts: CellParts & { readonly cavs: Stage<Cavs> },
  known: Known,
): Promise<Stage<readonly Measurement[]>> {
  const { data, target, output, cavs, method } = parts;
  const { version, title } = measureOf(name);
  if (method.base !== "lg_cav") {
    throw new UserError(
      `The measure ${name} shows what language says, which ${method.title} does not ask. Take a ` +
        `method that language guides.`,
    );
  }
  const { probes, text, vlRows } = await planLanguage(parts, known);
  return known.graph.stage(measureKind, {
    id: `${name} of ${cavs.id}`,
    inputs: {
      measure: name,
      version,
      alignmentPairs: method.hyperparameters.alignmentPairs,
    },
    needs: {
      cavs,
      concepts: data.concepts,
      probes,
      text,
      ...rowsOf("features", { model: target, output, data }, known),
      ...vlRows,
    },
    how: null,
    work: title.toLowerCase(),
  });
}

async function planPairs(data: PlannedConcepts, known: Known) {
  const { profile, models, graph, digests, request: { root, device } } = known;
  const { pairs } = profile;
  const needs = { concepts: data.concepts, classes: data.classes };
  const common = { id: "pairs of concept and class", needs, work: "matches concepts and classes" };
  if ("world" in pairs) {
    return graph.stage(pairsKind, { ...common, inputs: { from: "world" }, how: null });
  }
  if ("file" in pairs) {
    const file = resolve(root, pairs.file);
    const digest = await digests.file(file);
    if (digest === undefined) {
      throw new UserError(
        `configs/profiles/${profile.name}.json names the pairs file ${file}, which is not there. ` +
          `Correct the path.`,
      );
    }
    return graph.stage(pairsKind, { ...common, inputs: { from: "file", digest }, how: { file } });
  }
  const { hash, how } = await models.sentenceEncoder(pairs.sentenceEncoder);
  return graph.stage(pairsKind, {
    ...common,
    inputs: {
      from: "sentence encoder",
      encoder: hash,
      threshold: pairs.threshold.value,
      device,
      runtime: textRuntimeVersion,
    },
    how,
  });
}

function planGradients(
  { cell, data, target, output }: CellParts & { readonly data: PlannedConcepts },
  known: Known,
) {
  if (output === "features") {
    return known.graph.stage(lastLayerKind, {
      id: `last layer ${target.name}`,
      inputs: { model: target.identity, ...classNamesOf(target) },
      needs: { classes: data.classes },
      how: { model: target.how },
      work: "reads the weights of the last layer",
    });
  }
  const { of, files, readable, name, count } = labelledPool(data, known);
  const { heldOut } = cell.settings;
  if (heldOut === 0) {
    throw new UserError(
      `Experiment ${known.experiment.id} measures intermediate features, whose gradients are taken ` +
        `at images that no CAV was trained on: "heldOut" must be 1 at least. Raise it.`,
    );
  }
  return known.graph.stage(gradientsKind, {
    id: `gradients ${target.name} ${output} ${name}`,
    inputs: {
      of,
      heldOut,
      model: target.identity,
      ...classNamesOf(target),
      output,
      ...poolingOf(target, output),
      device: known.request.device,
      runtime: runtimeVersion,
      decoder: decoderVersion,
    },
    needs: { files, readable, classes: data.classes },
    how: { model: target.how, batch: known.profile.batch },
    work: `gradients of the logits at ${heldOut} images a class`,
    estimate: target.costOf &&
      gradientsEstimate(target.costOf(output), {
        count: Math.min(count, heldOut * target.costOf("logits").width),
        batch: known.profile.batch,
      }),
  });
}
