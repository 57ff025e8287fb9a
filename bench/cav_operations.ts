import type { Method } from "../lib/config/mod.ts";

/** What is trained. */
export interface Scale {
  readonly concepts: number;
  readonly dim: number;
  readonly probes: number;
  readonly seeds: number;
  /** Positives of a seed, and negatives. */
  readonly shots: number;
  readonly textDim: number;
  readonly methods: readonly Method[];
}

/**
 * Multiplications and additions of matrix products for a concept, as the methods are stated: each
 * vector descends in its coordinates, a step takes the products of its images with it and the sum of
 * the images; a symmetric product is computed whole, on the smaller side; Gram and Schmidt subtract
 * vector from vector. What is no product is left out. Text-to-Concept's map counts by a concept's
 * share.
 */
export function operationsAsStated(scale: Scale): number {
  const { dim, probes, seeds, shots } = scale;
  return sum(scale.methods, (method) => {
    const steps = stepsOf(method, probes);
    const classifier = 4 * 2 * shots * dim * steps;
    switch (method.base) {
      case "text_to_concept":
        return mapOperations(method, scale, { whole: true });
      case "oa_tcav":
        return seeds * method.hyperparameters.draws *
          (classifier + 4 * dim * shots * (shots + 1) / 2);
      case "lg_cav":
        return seeds * (classifier + 4 * probes * dim * method.hyperparameters.epochs);
      default:
        return seeds * classifier;
    }
  }) + languageOperations(scale, 2 * probes * dim * Math.min(probes, dim));
}

/**
 * The fewest that are known to do: symmetric products by half; descent in the span of the images
 * where they are fewer than features are long, from their inner products with each other.
 */
export function fewestOperations(scale: Scale): number {
  const { dim, probes, seeds, shots } = scale;
  const own = 2 * shots + 1;
  const guided = scale.methods.filter(({ base }) => base === "lg_cav");
  const inSpan = dim > probes + 2 * shots;
  const gram = probes * (probes + 1) * dim;
  const ofMethods = sum(scale.methods, (method) => {
    const steps = stepsOf(method, probes);
    const group = own * (own + 1) * dim + 2 * own * dim + 2 * 2 * shots * own * steps;
    switch (method.base) {
      case "text_to_concept":
        return mapOperations(method, scale, { whole: false });
      case "oa_tcav":
        return seeds * method.hyperparameters.draws * group;
      case "lg_cav": {
        const { epochs } = method.hyperparameters;
        if (!inSpan) return seeds * 4 * dim * (probes * epochs + 2 * shots * steps);
        const basis = probes + own;
        return seeds * 2 * basis * (probes * epochs + 2 * shots * steps + dim);
      }
      default:
        return seeds * group;
    }
  });
  const ofSpan = inSpan && guided.length > 0
    ? gram + seeds * own * dim * (2 * probes + own + 1)
    : 0;
  const moments = inSpan ? 0 : probes * (Math.min(probes, dim) + 1) * dim;
  return ofMethods + ofSpan + languageOperations(scale, moments);
}

/** Of the targets and weights, which methods share: cosines with texts and positives, moments. */
function languageOperations(
  { methods, dim, probes, seeds, shots, textDim }: Scale,
  moments: number,
): number {
  const has = (part: string) => methods.some(({ parts }) => parts.some((name) => name === part));
  const texts = methods.some(({ base }) => base === "lg_cav") ? 2 * 2 * probes * textDim : 0;
  return texts + (has("ga") ? moments : 0) +
    (has("dsr") ? 2 * seeds * shots * probes * dim : 0);
}

/** A concept's share of the map by its normal equations, which Cholesky's factorisation solves. */
function mapOperations(
  { hyperparameters: { images } }: Method<"text_to_concept">,
  { concepts, dim, textDim }: Scale,
  { whole }: { readonly whole: boolean },
): number {
  const products = images * dim * (whole ? 2 * dim : dim + 1);
  const texts = 2 * images * concepts * (textDim + dim);
  return (products + texts + dim ** 3 / 3 + 2 * dim ** 2 * concepts) / concepts;
}

function stepsOf({ hyperparameters }: Method, probes: number): number {
  if (!("epochs" in hyperparameters)) return 0;
  return hyperparameters.epochs * Math.ceil(probes / hyperparameters.batchSize);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
