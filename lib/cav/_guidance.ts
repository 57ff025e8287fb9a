import type { Method } from "../config/mod.ts";
import { cosine, norm, normaliseRows, row, type Tensor, tensor, zeros } from "../tensor/mod.ts";
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
import type { Shots } from "./_shots.ts";
import { gramOf, trainsInSpan } from "./_span.ts";

type LgCav = Method<"lg_cav">;

/** The probes of a concept, in the order of training, in both models. */
export interface Probes {
  /** Features of the target model divided by their lengths, [probes, dim]. */
  readonly unit: Tensor;
  /** The mean of the features as they were, [dim]. */
  readonly mean: Float64Array;
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
  const mean = meanRow(unit);
  for (let i = 0; i < rows.length; i++) {
    const feature = row(unit, i);
    const length = norm(feature);
    if (length > 0) { for (let j = 0; j < feature.length; j++) feature[j]! /= length; }
  }
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
  { engine, probes }: { readonly engine: CavEngine; readonly probes: Probes },
): Promise<Pick<ProbeImages, "targets" | "weights">> {
  const { concept: { text }, methods, seeds } = task;
  const moments = new Map<AlignmentPairs, Moments>();
  for (const pairs of pairsOf(methods)) {
    moments.set(pairs, await pairMoments(probes.unit, { engine, pairs, gram: probes.gram }));
  }
  const activations = {
    prompt: activationsOf(text.prompt, probes.vl),
    ensemble: activationsOf(text.ensemble, probes.vl),
  };
  const ofMethods = methods.map((method) => targetsOf(method, { activations, moments }));
  const reweighted = methods.some(({ parts }) => parts.includes("dsr"));
  const perSeed = reweighted ? await weightsOfSeeds(task, { engine, probes }) : [];
  const count = probes.unit.shape[0]!;
  const shape = [seeds.length, methods.length, count];
  const [targets, weights] = [zeros(shape), zeros(shape)];
  seeds.forEach((_, seed) =>
    methods.forEach(({ parts, hyperparameters: { coefficient } }, column) => {
      const at = (seed * methods.length + column) * count;
      targets.data.set(ofMethods[column]!, at);
      const ofProbes = parts.includes("dsr") ? perSeed[seed] : undefined;
      for (let i = 0; i < count; i++) {
        weights.data[at + i] = coefficient * (ofProbes?.[i] ?? 1);
      }
    })
  );
  return { targets, weights };
}

/** The kinds of pairs whose moments the methods align to. */
function pairsOf(methods: readonly LgCav[]): Set<AlignmentPairs> {
  const aligned = methods.filter(({ parts }) => parts.includes("ga"));
  return new Set(aligned.map(({ hyperparameters }) => hyperparameters.alignmentPairs));
}

/** a_c(x) of each probe with a text feature. */
function activationsOf(text: Float32Array, vl: Tensor): Float32Array {
  return Float32Array.from({ length: vl.shape[0]! }, (_, probe) => cosine(text, row(vl, probe)));
}

/** What a method's parts make of a_c(x) (Eq. 3, 4). */
function targetsOf(
  { parts, hyperparameters }: LgCav,
  { activations, moments }: {
    readonly activations: { readonly prompt: Float32Array; readonly ensemble: Float32Array };
    readonly moments: ReadonlyMap<AlignmentPairs, Moments>;
  },
): Float32Array {
  const chosen = parts.includes("ce") ? activations.ensemble : activations.prompt;
  if (!parts.includes("ga")) return chosen;
  return alignActivations(chosen, moments.get(hyperparameters.alignmentPairs)!);
}

/** DSR's weights for the positives of each seed. */
async function weightsOfSeeds(
  { shots, concept }: TrainerTask<LgCav>,
  { engine, probes }: { readonly engine: CavEngine; readonly probes: Probes },
): Promise<Float32Array[]> {
  if (!shots) {
    throw new RangeError(
      `Reweighting the probes of "${concept.concept}" (DSR) takes positive images: give some, or ` +
        `leave the part "dsr" out.`,
    );
  }
  const [seeds = 0, images = 0, dim = 0] = shots.features.shape;
  const positives = row(shots.labels, 0).filter((label) => label === 1).length;
  const labelled = normaliseRows(tensor([seeds * images, dim], shots.features.data));
  const cosines = await engine.product(labelled, probes.unit);
  return Array.from({ length: seeds }, (_, seed) => {
    const ofPositives = Array.from(
      { length: positives },
      (_, i) => row(cosines, seed * images + i),
    );
    const perProbe = Array.from(
      { length: probes.unit.shape[0]! },
      (_, probe) => ofPositives.map((products) => products[probe]!),
    );
    return deviationWeights(perProbe);
  });
}
