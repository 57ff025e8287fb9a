import type { CrossedValues } from "./crossed_bootstrap.ts";
import { mean } from "./mean.ts";
import { normalQuantile } from "./normal_quantile.ts";

/** Where the variance of a value of one concept under one seed comes from, in squared units. */
export interface VarianceComponents {
  readonly concept: number;
  /** Of the seed, for all concepts alike; null with one seed. */
  readonly seed: number | null;
  /** Of concept and seed together; null with one seed, whose concepts hold both. */
  readonly residual: number | null;
}

/**
 * The components of a crossed random model without repetition, by the method of moments (mean squares
 * of the two-way analysis of variance; Searle, Casella and McCulloch 1992, chapter 4), none below 0. A
 * concept of more weight counts by its contribution to the weighted mean.
 *
 * @throws {RangeError} when there are less than two concepts.
 */
export function varianceComponents({ sums, weights }: CrossedValues): VarianceComponents {
  const [seeds, concepts] = [sums.length, weights.length];
  if (concepts < 2) throw new RangeError("Variance components of less than two concepts.");
  const perConcept = weights.reduce((sum, weight) => sum + weight, 0) / concepts;
  const centre = mean(sums.map((values) => mean(values))) / perConcept;
  // Linear in the ratio of sums: their mean is 0, their variance that of the weighted mean.
  const deviations = sums.map((values) =>
    values.map((sum, i) => (sum - centre * weights[i]!) / perConcept)
  );
  const ofSeeds = deviations.map((values) => mean(values));
  const ofConcepts = weights.map((_, i) => mean(deviations.map((values) => values[i]!)));
  const squares = (values: readonly number[]) => values.reduce((sum, v) => sum + v * v, 0);
  const betweenConcepts = (seeds * squares(ofConcepts)) / (concepts - 1);
  if (seeds < 2) return { concept: betweenConcepts, seed: null, residual: null };
  const betweenSeeds = (concepts * squares(ofSeeds)) / (seeds - 1);
  const left = deviations.map((values, j) =>
    values.map((v, i) => v - ofConcepts[i]! - ofSeeds[j]!)
  );
  const residual = left.reduce((sum, values) => sum + squares(values), 0) /
    ((concepts - 1) * (seeds - 1));
  return {
    concept: Math.max(0, (betweenConcepts - residual) / seeds),
    seed: Math.max(0, (betweenSeeds - residual) / concepts),
    residual,
  };
}

/** How many seeds alone, or concepts alone, would settle something; null where no number would. */
export interface NeededReplications {
  readonly seeds: number | null;
  readonly concepts: number | null;
}

/**
 * The least number of seeds, at as many concepts, and of concepts, at as many seeds, with which an
 * effect as large as the observed one would be told from 0, or from the margin, with some power: by the
 * normal approximation with the variances of {@linkcode varianceComponents}.
 *
 * @param options.level two-sided level of the test of difference; a one-sided one of equivalence.
 */
export function replicationsNeeded(
  { concept, seed, residual }: VarianceComponents,
  { effect, margin, seeds, concepts, level, power }: {
    readonly effect: number;
    /** Null where no equivalence is tested. */
    readonly margin: number | null;
    readonly seeds: number;
    readonly concepts: number;
    readonly level: number;
    readonly power: number;
  },
): NeededReplications {
  const reach = normalQuantile(power);
  const standardError = Math.max(
    Math.abs(effect) / (normalQuantile(1 - level / 2) + reach),
    margin === null ? 0 : (margin - Math.abs(effect)) / (normalQuantile(1 - level) + reach),
  );
  const allowed = standardError ** 2;
  const [ofSeed, ofBoth] = [seed ?? 0, residual ?? 0];
  const needed = (shrinks: number, stays: number) =>
    allowed > stays ? Math.max(2, Math.ceil(shrinks / (allowed - stays))) : null;
  return {
    seeds: seed === null ? null : needed(ofSeed + ofBoth / concepts, concept / concepts),
    concepts: needed(concept + ofBoth / seeds, ofSeed / seeds),
  };
}
