import { asPrinted, type Method } from "../config/mod.ts";
import { row, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import type { CavProblem, TrainerTask } from "./concept_problem.ts";
import { deviationWeights, type Reweighting } from "./deviation_sample_reweighting.ts";
import type { CavEngine, ProbeImages } from "./engine.ts";
import {
  alignActivations,
  type AlignmentPairs,
  type Moments,
  pairMoments,
} from "./gaussian_alignment.ts";
import { meanRow } from "./_centre_rows.ts";
import { divideByLengths, rowLengths } from "./_row_lengths.ts";
import type { Shots } from "./_shots.ts";
import { gramOf, trainsInSpan } from "./_span.ts";

type LgCav = Method<"lg_cav">;

/** The probes of a concept, in the order of training, in both models. */
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
  { engine, probes }: { readonly engine: CavEngine; readonly probes: Probes },
): Promise<Pick<ProbeImages, "targets" | "weights">> {
  const { concept: { text }, methods, seeds } = task;
  const moments = new Map<AlignmentPairs, Moments>();
  for (const pairs of pairsOf(methods)) {
    moments.set(pairs, await pairMoments(probes.unit, { engine, pairs, gram: probes.gram }));
  }
  const activations = await activationsOf(text, { vl: probes.vl, engine });
  const ofMethods = methods.map((method) => targetsOf(method, { activations, moments }));
  const weightsOf = new Map<string, Float32Array[]>();
  if (methods.some(({ parts }) => parts.includes("dsr"))) {
    const cosines = await probeCosines(task, { engine, unit: probes.unit });
    for (const method of methods) {
      const reweighting = reweightingOf(method);
      weightsOf.set(
        JSON.stringify(reweighting),
        cosines.map((ofSeed) => deviationWeights(ofSeed, reweighting)),
      );
    }
  }
  const count = probes.unit.shape[0]!;
  const shape = [seeds.length, methods.length, count];
  const [targets, weights] = [zeros(shape), zeros(shape)];
  seeds.forEach((_, seed) =>
    methods.forEach((method, column) => {
      const { parts, hyperparameters: { coefficient } } = method;
      const at = (seed * methods.length + column) * count;
      targets.data.set(ofMethods[column]!, at);
      const ofColumn = weights.data.subarray(at, at + count).fill(coefficient);
      if (!parts.includes("dsr")) return;
      const ofSeed = weightsOf.get(JSON.stringify(reweightingOf(method)))![seed]!;
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

/** What a method's parts make of a_c(x) (Eq. 3, 4). */
function targetsOf(
  method: LgCav,
  { activations, moments }: {
    readonly activations: Activations;
    readonly moments: ReadonlyMap<AlignmentPairs, Moments>;
  },
): Float32Array {
  const { parts, hyperparameters: { alignmentPairs } } = method;
  const chosen = parts.includes("ce") ? activations.ensemble : activations.prompt;
  if (!parts.includes("ga")) return chosen;
  return alignActivations(chosen, moments.get(alignmentPairs)!, asPrinted(method).alignment);
}

/** How a method's `dsr` turns deviations into weights. */
export function reweightingOf(method: LgCav): Reweighting {
  const { dsrNormalisation, dsrTemperature } = asPrinted(method);
  return { normalisation: dsrNormalisation, temperature: dsrTemperature };
}

/**
 * The cosines of each probe with each positive of each seed, which DSR takes deviations of: by seed
 * and by probe.
 *
 * @param options.unit features of the probes divided by their lengths, [probes, dim]
 * @throws {RangeError} without labelled images.
 */
export async function probeCosines(
  { shots, concept }: {
    readonly shots: Shots | undefined;
    readonly concept: { readonly concept: string };
  },
  { engine, unit }: { readonly engine: CavEngine; readonly unit: Tensor },
): Promise<Float32Array[][]> {
  if (!shots) {
    throw new RangeError(
      `Reweighting the probes of "${concept.concept}" (DSR) takes positive images: give some, or ` +
        `leave the part "dsr" out.`,
    );
  }
  const [seeds = 0, , dim = 0] = shots.features.shape;
  const count = row(shots.labels, 0).filter((label) => label === 1).length;
  const positives = zeros([seeds * count, dim]);
  for (let seed = 0; seed < seeds; seed++) {
    const ofSeed = row(shots.features, seed).subarray(0, count * dim);
    positives.data.set(ofSeed, seed * count * dim);
  }
  divideByLengths(positives);
  const cosines = await engine.product(positives, unit);
  const [, images = 0] = cosines.shape;
  return Array.from({ length: seeds }, (_, seed) => {
    const byProbe = new Float32Array(images * count);
    for (let i = 0; i < count; i++) {
      const ofPositive = row(cosines, seed * count + i);
      for (let probe = 0; probe < images; probe++) byProbe[probe * count + i] = ofPositive[probe]!;
    }
    return Array.from(
      { length: images },
      (_, probe) => byProbe.subarray(probe * count, (probe + 1) * count),
    );
  });
}
