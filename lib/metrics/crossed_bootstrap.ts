import type { Random } from "../tensor/mod.ts";
import type { Resamples } from "./bootstrap_interval.ts";

/** Values of concepts under seeds, both of which might have been others. */
export interface CrossedValues {
  /** [seeds][clusters]: a concept's values under one seed, each times its weight, summed. */
  readonly sums: readonly (readonly number[])[];
  /** By cluster. */
  readonly weights: readonly number[];
}

/** How often each bootstrap resample holds each seed: few different patterns, as seeds are few. */
export interface SeedPatterns {
  readonly seeds: number;
  /** The share of each seed, by pattern. */
  readonly patterns: readonly (readonly number[])[];
  /** The pattern of each resample. */
  readonly of: Uint32Array;
}

/**
 * Draws seeds with replacement, one less than there are, which makes the variance of their mean that of
 * the sample (McCarthy and Snowden 1985): of four seeds a bootstrap that draws four is a quarter short.
 *
 * @throws {RangeError} when there are no seeds or resamples.
 */
export function drawSeeds(
  seeds: number,
  { resamples, random }: { readonly resamples: number; readonly random: Random },
): SeedPatterns {
  if (!(seeds > 0 && resamples > 0)) {
    throw new RangeError(`${resamples} bootstrap resamples of ${seeds} seeds.`);
  }
  const drawn = Math.max(1, seeds - 1);
  const draws = Array.from({ length: resamples * drawn }, () => random.integer(seeds));
  return seedPatterns(draws, { seeds, drawn });
}

/** The patterns of given draws, [resamples, drawn]. */
export function seedPatterns(
  draws: ArrayLike<number>,
  { seeds, drawn }: { readonly seeds: number; readonly drawn: number },
): SeedPatterns {
  const known = new Map<string, number>();
  const patterns: number[][] = [];
  const of = new Uint32Array(draws.length / drawn);
  for (let resample = 0; resample < of.length; resample++) {
    const counts = new Array<number>(seeds).fill(0);
    for (let i = 0; i < drawn; i++) counts[draws[resample * drawn + i]!]!++;
    const name = counts.join();
    let pattern = known.get(name);
    if (pattern === undefined) {
      known.set(name, pattern = patterns.length);
      patterns.push(counts.map((count) => count / drawn));
    }
    of[resample] = pattern;
  }
  return { seeds, patterns, of };
}

/**
 * Weighted means of a bootstrap that resamples concepts and seeds, each by itself: a value enters as
 * often as its concept was drawn times how often its seed was. Of two crossed ways this is the
 * pigeonhole bootstrap (Owen 2007, Annals of Applied Statistics 1(2)), whose variance is on average that
 * of the mean or more. In the order of the resamples.
 *
 * @throws {RangeError} when the resamples are of other numbers of concepts or seeds.
 */
export function crossedBootstrap(
  { sums, weights }: CrossedValues,
  { concepts, seeds }: { readonly concepts: Resamples; readonly seeds: SeedPatterns },
): Float64Array {
  const size = weights.length;
  const count = concepts.draws.length / size;
  if (size !== concepts.clusters || sums.length !== seeds.seeds || count !== seeds.of.length) {
    throw new RangeError(
      `A bootstrap of ${size} concepts and ${sums.length} seeds with ${count} resamples of ` +
        `${concepts.clusters} and ${seeds.of.length} of ${seeds.seeds}.`,
    );
  }
  const drawn = seeds.patterns.map((shares) =>
    Float64Array.from(
      weights,
      (_, i) => shares.reduce((sum, share, seed) => sum + share * sums[seed]![i]!, 0),
    )
  );
  const clusterWeights = Float64Array.from(weights);
  const means = new Float64Array(count);
  for (let resample = 0; resample < count; resample++) {
    const values = drawn[seeds.of[resample]!]!;
    let sum = 0;
    let weight = 0;
    for (let i = resample * size; i < (resample + 1) * size; i++) {
      const cluster = concepts.draws[i]!;
      sum += values[cluster]!;
      weight += clusterWeights[cluster]!;
    }
    means[resample] = sum / weight;
  }
  return means;
}

/**
 * The p-value of two one-sided tests that an effect lies within a margin of 0 (Schuirmann 1987), by
 * bootstrapped effects: the larger one of the shares at or beyond either end, (b + 1) / (m + 1). It is
 * below a level a where the interval of confidence 1 - 2 a lies within the margin.
 *
 * @throws {RangeError} when the margin is not above 0.
 */
export function equivalencePValue(effects: Float64Array, margin: number): number {
  if (!(margin > 0)) throw new RangeError(`A margin of equivalence is above 0, not ${margin}.`);
  let above = 0;
  let below = 0;
  for (const effect of effects) {
    if (effect >= margin) above++;
    if (effect <= -margin) below++;
  }
  return (Math.max(above, below) + 1) / (effects.length + 1);
}
