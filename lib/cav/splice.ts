import { row, type Tensor, tensor } from "../tensor/mod.ts";
import { centreRows } from "./_centre_rows.ts";
import type { CavProblem, ConceptProblem } from "./concept_problem.ts";
import type { CavEngine } from "./engine.ts";
import { divideByLengths } from "./_row_lengths.ts";

/** Codes images in a vocabulary of concepts: the weight of one concept in each image. */
export type SpliceCoder = (
  /** Features of the VL model, [images, its dimension]. */
  images: Tensor,
  options: { readonly concept: ConceptProblem; readonly penalty: number },
) => Promise<Float32Array>;

/**
 * SpLiCE, sparse linear concept embeddings (arXiv 2402.10376): the non-negative w of the least
 * |z - C' w|^2 + penalty |w|_1, where z is an image's feature of the VL model and the rows of C are
 * the text features of a vocabulary. Both have unit length, are counted from the mean of their kind,
 * which differs between images and texts, and have unit length again. Here the vocabulary is the
 * prompts of the problem's concepts, and the mean of the images that of the images which are coded:
 * the probes of one concept, so that none is seen that judges it.
 */
export function spliceCoder(problem: CavProblem, engine: CavEngine): SpliceCoder {
  let vocabulary: Vocabulary | undefined;
  return async (images, { concept, penalty }) => {
    const { words, gram } = vocabulary ??= vocabularyOf(problem);
    const unit = tensor(images.shape, images.data.slice());
    divideByLengths(unit);
    const { deviations: coded } = centreRows(unit);
    divideByLengths(coded);
    const products = await engine.product(coded, words);
    const index = problem.concepts.indexOf(concept);
    return Float32Array.from(
      { length: images.shape[0]! },
      (_, image) => nonNegativeCode(row(products, image), { gram, penalty })[index]!,
    );
  };
}

interface Vocabulary {
  /** [concepts, dimension] */
  readonly words: Tensor;
  /** Inner products of the words, row by row. */
  readonly gram: Float64Array;
}

function vocabularyOf({ concepts }: CavProblem): Vocabulary {
  const dim = concepts[0]!.text.prompt.length;
  const texts = tensor(
    [concepts.length, dim],
    Float32Array.from(concepts.flatMap(({ text: { prompt } }) => [...prompt])),
  );
  divideByLengths(texts);
  const { deviations: words } = centreRows(texts);
  divideByLengths(words);
  const gram = new Float64Array(concepts.length ** 2);
  for (let i = 0; i < concepts.length; i++) {
    for (let k = 0; k < concepts.length; k++) {
      let product = 0;
      for (let j = 0; j < dim; j++) product += row(words, i)[j]! * row(words, k)[j]!;
      gram[i * concepts.length + k] = product;
    }
  }
  return { words, gram };
}

/** A code is found when a sweep changes no weight by more than this. */
const tolerance = 1e-7;

/** Sweeps at most. */
const mostSweeps = 10_000;

/**
 * The non-negative w of the least w' K w - 2 b' w + penalty times the sum of w, by coordinate
 * descent: scikit-learn's Lasso of positive weights. A word without length has weight 0.
 *
 * @param products b, of the image with each word
 * @param options.gram K, of the words with each other, row by row
 */
export function nonNegativeCode(
  products: ArrayLike<number>,
  { gram, penalty }: { readonly gram: Float64Array; readonly penalty: number },
): Float64Array {
  const size = products.length;
  const code = new Float64Array(size);
  // What of each product is not yet explained.
  const rest = Float64Array.from(products);
  for (let sweep = 0; sweep < mostSweeps; sweep++) {
    let largest = 0;
    for (let k = 0; k < size; k++) {
      const square = gram[k * size + k]!;
      if (square === 0) continue;
      const weight = Math.max(0, code[k]! + (rest[k]! - penalty / 2) / square);
      const change = weight - code[k]!;
      if (change === 0) continue;
      code[k] = weight;
      largest = Math.max(largest, Math.abs(change));
      for (let i = 0; i < size; i++) rest[i]! -= change * gram[i * size + k]!;
    }
    if (largest < tolerance) break;
  }
  return code;
}
