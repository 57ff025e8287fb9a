import type { FeatureRows } from "../activations/mod.ts";
import { cosine, dot, norm, row, type Tensor, zeros } from "../tensor/mod.ts";

/** Images that differ in one factor only, one for each of its values. */
export interface InterventionContext {
  /** The concept that each image shows, by number. */
  readonly concepts: readonly number[];
  /** The row of each image among the features. */
  readonly images: readonly number[];
}

/** What interventions say of concepts in a feature space. */
export interface TrueDirections {
  /** The mean feature difference of each concept, [concepts, dim]. */
  readonly directions: Tensor;
  /** Of each concept the cosine of the directions of two disjoint halves of its contexts, [concepts]. */
  readonly reliability: Tensor;
  /**
   * Of each concept the mean cosine of the difference in one context with the mean of those in all
   * others, [concepts]: 1 where the concept moves features alike wherever it is put.
   */
  readonly consistency: Tensor;
}

/**
 * The true direction of each concept: features with the concept's value of a factor less the mean of
 * those with each other value of it, all in the same context, averaged over contexts. Contexts of
 * even and of odd number (among those of their factor) are the two halves. One context is read at a
 * time, so memory holds two sums of each concept.
 *
 * @param contexts of all factors; those of one factor one after another, each with the same concepts.
 * @throws {RangeError} when a concept has fewer than two contexts, or a context one image only.
 */
export async function trueDirections(
  features: FeatureRows,
  contexts: readonly InterventionContext[],
  { concepts }: { readonly concepts: number },
): Promise<TrueDirections> {
  const dim = features.shape[1];
  const counts = new Uint32Array(concepts);
  const halves = [0, 1].map(() => Array.from({ length: concepts }, () => new Float64Array(dim)));
  for (const context of contexts) {
    await eachDifference(features, context, (concept, difference) => {
      const sum = halves[counts[concept]!++ % 2]![concept]!;
      for (let i = 0; i < dim; i++) sum[i]! += difference[i]!;
    });
  }
  const few = counts.findIndex((count) => count < 2);
  if (few !== -1) {
    throw new RangeError(`Concept ${few} has ${counts[few]} contexts; a direction takes two.`);
  }
  const reliability = zeros([concepts]);
  const directions = zeros([concepts, dim]);
  for (let concept = 0; concept < concepts; concept++) {
    const [even, odd] = halves.map((half) => half[concept]!) as [Float64Array, Float64Array];
    reliability.data[concept] = cosine(even, odd);
    const direction = row(directions, concept);
    for (let i = 0; i < dim; i++) direction[i] = (even[i]! + odd[i]!) / counts[concept]!;
  }
  const consistency = zeros([concepts]);
  for (const context of contexts) {
    await eachDifference(features, context, (concept, difference) => {
      const others = leaveOut(difference, { from: row(directions, concept), of: counts[concept]! });
      consistency.data[concept]! += others / counts[concept]!;
    });
  }
  return { directions, reliability, consistency };
}

/** Calls `use` with the difference of each concept in a context; the array is used again. */
async function eachDifference(
  features: FeatureRows,
  { concepts, images }: InterventionContext,
  use: (concept: number, difference: Float64Array) => void,
): Promise<void> {
  if (images.length < 2) throw new RangeError("A context has two images at least.");
  const rows = await features.take(images);
  const dim = features.shape[1];
  const sum = new Float64Array(dim);
  for (const value of images.keys()) {
    const own = row(rows, value);
    for (let i = 0; i < dim; i++) sum[i]! += own[i]!;
  }
  const difference = new Float64Array(dim);
  for (const [value, concept] of concepts.entries()) {
    const own = row(rows, value);
    for (let i = 0; i < dim; i++) {
      difference[i] = own[i]! - (sum[i]! - own[i]!) / (images.length - 1);
    }
    use(concept, difference);
  }
}

/** The cosine of one difference with the mean of the others, of which `from` is the mean with it. */
function leaveOut(
  difference: Float64Array,
  { from, of }: { readonly from: Float32Array; readonly of: number },
): number {
  const product = dot(difference, from);
  const square = dot(difference, difference);
  // |n m - d|^2 without a copy of the vector.
  const rest = of * of * dot(from, from) - 2 * of * product + square;
  const lengths = Math.sqrt(Math.max(0, rest)) * norm(difference);
  return lengths === 0 ? 0 : (of * product - square) / lengths;
}
