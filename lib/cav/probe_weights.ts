import { asPrinted, type Method } from "../config/mod.ts";
import { normaliseRows, row, type Tensor, tensor, zeros } from "../tensor/mod.ts";
import { deviationWeights, type Reweighting } from "./deviation_sample_reweighting.ts";
import type { CavEngine } from "./engine.ts";
import { divideByLengths } from "./_row_lengths.ts";
import type { Shots } from "./_shots.ts";

/** How a method's `dsr` turns deviations into weights. */
export function reweightingOf(method: Method<"lg_cav">): Reweighting {
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

/**
 * DSR's weights of the probes of one concept by the positives of one seed, [probes].
 *
 * @param options.positives features of the positives, [positives, dim]
 * @param options.probes features of the probes, [probes, dim]
 */
export async function probeWeights(
  { positives, probes }: { readonly positives: Tensor; readonly probes: Tensor },
  { engine, reweighting }: { readonly engine: CavEngine; readonly reweighting: Reweighting },
): Promise<Float32Array> {
  const count = positives.shape[0]!;
  const shots = {
    features: tensor([1, ...positives.shape], positives.data),
    labels: tensor([1, count], new Float32Array(count).fill(1)),
  };
  const [cosines] = await probeCosines({ shots, concept: { concept: "" } }, {
    engine,
    unit: normaliseRows(probes),
  });
  return deviationWeights(cosines!, reweighting);
}
