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
  /** Bootstrap interval of the difference over concepts. */
  readonly low: number;
  readonly high: number;
  /** Two-sided paired permutation test over concepts. */
  readonly pValue: number;
}

/** The values of one cell by concept, each averaged over the seeds. */
export interface ConceptValues {
  /** The cell, for messages. */
  readonly name: string;
  /** Its level of the compared factor. */
  readonly level: Level;
  /** Concept, class and image of each value, sorted. */
  readonly units: readonly string[];
  /** By concept, sorted: sum and count of its values. */
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
 * @throws {Error} when the two were not measured on the same concepts, classes and images.
 */
export function compare(
  { values, against }: { readonly values: ConceptValues; readonly against: ConceptValues },
  { confidence, resamples, permutations, random }: ComparisonOptions,
): Comparison {
  const unpaired = values.units.find((unit, i) => unit !== against.units[i]) ??
    against.units[values.units.length];
  if (unpaired !== undefined) {
    throw new Error(
      `Comparing ${values.name} with ${against.name}: only one of them was measured on ` +
        `${unpaired}; a paired test needs the same concepts and classes.`,
    );
  }
  const differences = values.clusters.map(({ sum, count }, i) => ({
    sum: sum - against.clusters[i]!.sum,
    count,
  }));
  const total = differences.reduce((sum, cluster) => sum + cluster.sum, 0);
  return {
    level: against.level,
    difference: total / values.units.length,
    ...bootstrapInterval(differences, { resamples, confidence }),
    pValue: pairedPermutationTest(differences.map(({ sum }) => sum), { permutations, random }),
  };
}
