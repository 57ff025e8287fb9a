import type { Level } from "../experiment/mod.ts";
import {
  bootstrapInterval,
  type Cluster,
  pairedPermutationTest,
  type Resamples,
} from "../metrics/mod.ts";
import type { Random } from "../tensor/mod.ts";

/** One cell minus another, on the same concepts and seeds. */
export interface Comparison {
  /** The other cell's level of the compared factor. */
  readonly level: Level;
  /** Difference of the means. */
  readonly difference: number;
  /** Bootstrap interval of the difference over concepts; null of least values. */
  readonly low: number | null;
  readonly high: number | null;
  /** Two-sided paired permutation test over concepts; null of least values. */
  readonly pValue: number | null;
}

/** The values of one cell by concept, each averaged over the seeds. */
export interface ConceptValues {
  /** The cell, for messages. */
  readonly name: string;
  /** Its level of the compared factor. */
  readonly level: Level;
  /** Concept, class and image of each value, sorted. */
  readonly units: readonly string[];
  /** By unit. */
  readonly weights: readonly number[];
  /** By concept, sorted: its values times their weights, summed, and their weights. */
  readonly clusters: readonly Cluster[];
}

/** What a comparison draws: bootstrap resamples and sign patterns. */
export interface ComparisonOptions {
  readonly confidence: number;
  readonly resamples: Resamples;
  readonly permutations: number;
  readonly random: Random;
}

/**
 * Compares the values of two cells, paired by concept: a concept's values enter together, with one
 * sign, because they share a CAV.
 *
 * @throws {Error} when the two were not measured on the same concepts, classes and images, or not
 * with the same weights.
 */
export function compare(
  { values, against }: { readonly values: ConceptValues; readonly against: ConceptValues },
  { confidence, resamples, permutations, random }: ComparisonOptions,
): Comparison {
  checkPaired(values, against);
  const differences = values.clusters.map(({ sum, weight }, i) => ({
    sum: sum - against.clusters[i]!.sum,
    weight,
  }));
  const total = differences.reduce((sum, cluster) => sum + cluster.sum, 0);
  return {
    level: against.level,
    difference: total / differences.reduce((sum, { weight }) => sum + weight, 0),
    ...bootstrapInterval(differences, { resamples, confidence }),
    pValue: pairedPermutationTest(differences.map(({ sum }) => sum), { permutations, random }),
  };
}

function checkPaired(values: ConceptValues, against: ConceptValues): void {
  const comparing = `Comparing ${values.name} with ${against.name}`;
  const unpaired = values.units.find((unit, i) => unit !== against.units[i]) ??
    against.units[values.units.length];
  if (unpaired !== undefined) {
    throw new Error(
      `${comparing}: only one of them was measured on ${unpaired}; a paired test needs the same ` +
        `concepts and classes.`,
    );
  }
  const reweighted = values.units.find((_, i) => values.weights[i] !== against.weights[i]);
  if (reweighted === undefined) return;
  throw new Error(
    `${comparing}: ${reweighted.trim()} has another weight in one of them; a paired test needs the ` +
      `same images.`,
  );
}
