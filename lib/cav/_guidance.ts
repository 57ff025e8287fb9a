import type { Method } from "../config/mod.ts";
import { type Random, row, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import type { CavProblem, TrainerTask } from "./concept_problem.ts";
import { deviationWeights } from "./deviation_sample_reweighting.ts";
import type { CavEngine, ProbeImages } from "./engine.ts";
import {
  alignActivations,
  type AlignmentPairs,
  type Moments,
  pairMoments,
} from "./gaussian_alignment.ts";
import { meanRow } from "./_centre_rows.ts";
import { probeCosines, reweightingOf } from "./probe_weights.ts";
import { divideByLengths, rowLengths } from "./_row_lengths.ts";
import type { Shots } from "./_shots.ts";
import { gramOf, trainsInSpan } from "./_span.ts";
import type { SpliceCoder } from "./splice.ts";

type LgCav = Method<"lg_cav">;

/** The probes of a concept in both models. */
export interface Probes {
  /** Features of the target model divided by their lengths, [probes, dim]. */
  readonly unit: Tensor;
  /** The mean of the features as they were, [dim], where it sets the threshold: without shots. */
  readonly mean: Float64Array | undefined;
  /** Inner products of the unit features, [probes, probes], where training takes place in their span. */
  readonly gram: Tensor | undefined;
  /** Features of the VL model, [probes, its dimension]. */
  readonly vl: Tensor;
}

/** Reads the probes of these rows; with a long feature they are the bulk of the memory in use. */
export async function probesOf(
  { features, vlFeatures }: CavProblem,
  rows: readonly number[],
  { engine, shots }: { readonly engine: CavEngine; readonly shots: Shots | undefined },
): Promise<Probes> {
  const unit = await features.take(rows);
  const mean = shots ? undefined : meanRow(unit);
  divideByLengths(unit);
  const images = rows.length + (shots?.labels.shape[1] ?? 0);
  const inSpan = trainsInSpan({ dim: features.shape[1], images });
  return {
    unit,
    mean,
    gram: inSpan ? await gramOf(unit, engine) : undefined,
    vl: await vlFeatures.take(rows),
  };
}

/** What the probes ask of the columns of a task: one column per method in each seed's group. */
export async function guidance(
  task: TrainerTask<LgCav>,
  { engine, probes, random, splice }: {
    readonly engine: CavEngine;
    readonly probes: Probes;
    readonly random: Random;
    readonly splice: SpliceCoder;
  },
): Promise<Pick<ProbeImages, "targets" | "weights">> {
  const { concept: { concept, text }, methods, seeds } = task;
  const moments = new Map<AlignmentPairs, Moments>();
  for (const pairs of pairsOf(methods)) {
    moments.set(pairs, await pairMoments(probes.unit, { engine, pairs, gram: probes.gram }));
  }
  const activations = await activationsOf(text, { vl: probes.vl, engine });
  const ofMethods: Float32Array[] = [];
  for (const method of methods) {
    const of = method.parts.includes("splice")
      ? await codesOf(task, method, { vl: probes.vl, splice })
      : activations;
    ofMethods.push(targetsOf(method, { activations: of, moments }));
  }
  const reweighted = methods.filter(({ parts }) => parts.includes("dsr"));
  const cosines = reweighted.length > 0
    ? await probeCosines(task, { engine, unit: probes.unit })
    : [];
  const weightsOf = new Map(reweighted.map((method) => {
    const reweighting = reweightingOf(method);
    return [method, cosines.map((ofSeed) => deviationWeights(ofSeed, reweighting))];
  }));
  const count = probes.unit.shape[0]!;
  const shape = [seeds.length, methods.length, count];
  const [targets, weights] = [zeros(shape), zeros(shape)];
  const shuffles = random.split("shuffled activations").split(concept);
  seeds.forEach((name, seed) =>
    methods.forEach(({ parts, guidance, hyperparameters: { coefficient } }, column) => {
      const at = (seed * methods.length + column) * count;
      const ofColumns = ofMethods[column]!;
      targets.data.set(
        guidance === "shuffled activations"
          ? shuffles.split(name).shuffle([...ofColumns])
          : ofColumns,
        at,
      );
      const ofColumn = weights.data.subarray(at, at + count).fill(coefficient);
      if (!parts.includes("dsr")) return;
      const ofSeed = weightsOf.get(methods[column]!)![seed]!;
      for (let i = 0; i < count; i++) ofColumn[i]! *= ofSeed[i]!;
    })
  );
  return { targets, weights };
}

/** The kinds of pairs whose moments the methods align to. */
function pairsOf(methods: readonly LgCav[]): Set<AlignmentPairs> {
  const aligned = methods.filter(({ parts }) => parts.includes("ga"));
  return new Set(aligned.map(({ hyperparameters }) => hyperparameters.alignmentPairs));
}

interface Activations {
  readonly prompt: Float32Array;
  readonly ensemble: Float32Array;
}

/** a_c(x) of each probe with each text feature. */
async function activationsOf(
  { prompt, ensemble }: TrainerTask<LgCav>["concept"]["text"],
  { vl, engine }: { readonly vl: Tensor; readonly engine: CavEngine },
): Promise<Activations> {
  const texts = tensor([2, prompt.length], Float32Array.of(...prompt, ...ensemble));
  divideByLengths(texts);
  const products = await engine.product(texts, vl);
  const lengths = rowLengths(vl);
  const [ofPrompt, ofEnsemble] = [row(products, 0), row(products, 1)];
  for (const values of [ofPrompt, ofEnsemble]) {
    for (let i = 0; i < values.length; i++) values[i] = lengths[i] ? values[i]! / lengths[i]! : 0;
  }
  return { prompt: ofPrompt, ensemble: ofEnsemble };
}

/** The weight of the concept in the sparse code of each probe, whichever the text feature. */
async function codesOf(
  { concept }: TrainerTask<LgCav>,
  { id, hyperparameters: { splicePenalty: penalty } }: LgCav,
  { vl, splice }: { readonly vl: Tensor; readonly splice: SpliceCoder },
): Promise<Activations> {
  if (penalty === undefined) {
    throw new RangeError(`The method ${id} has the part "splice" and no "splicePenalty". Add it.`);
  }
  const codes = await splice(vl, { concept, penalty });
  return { prompt: codes, ensemble: codes };
}

/** What a method's parts make of a_c(x) (Eq. 3, 4). */
function targetsOf(
  { parts, hyperparameters }: LgCav,
  { activations, moments }: {
    readonly activations: Activations;
    readonly moments: ReadonlyMap<AlignmentPairs, Moments>;
  },
): Float32Array {
  const chosen = parts.includes("ce") ? activations.ensemble : activations.prompt;
  if (!parts.includes("ga")) return chosen;
  const { alignmentPairs, alignment } = hyperparameters;
  return alignActivations(chosen, moments.get(alignmentPairs)!, alignment);
}
