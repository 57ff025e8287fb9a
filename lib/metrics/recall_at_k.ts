/**
 * The indices of the `count` highest scores, best first; of equal scores the earlier one is first.
 *
 * @throws {RangeError} when there are fewer scores than asked for, or a score is NaN.
 */
export function highest(scores: ArrayLike<number>, count: number): number[] {
  if (!(Number.isInteger(count) && count >= 0 && count <= scores.length)) {
    throw new RangeError(`The ${count} highest of ${scores.length} scores.`);
  }
  const values = Array.from(scores);
  if (values.some(Number.isNaN)) throw new RangeError("A score that is NaN has no rank.");
  return values
    .map((_, index) => index)
    .sort((a, b) => values[b]! - values[a]! || a - b)
    .slice(0, count);
}

/**
 * Recall@k in percent: the share of the relevant items that are among the k highest scores.
 * Table 5 has k = 100 and, as the relevant items of a concept, the 50 test images that the VL model
 * ranks highest: `recallAtK(cavScores, { relevant: highest(vlScores, 50), k: 100 })`.
 *
 * @throws {RangeError} when nothing is relevant or there are fewer than k scores.
 */
export function recallAtK(
  scores: ArrayLike<number>,
  { relevant, k }: { readonly relevant: readonly number[]; readonly k: number },
): number {
  if (relevant.length === 0) throw new RangeError(`Recall@${k} without relevant items.`);
  const found = new Set(highest(scores, k));
  return (100 * relevant.filter((index) => found.has(index)).length) / relevant.length;
}

/** Test images of the paper's Table 5, to which its 50 and 100 belong. */
const imagesOfTable5 = 2000;

/**
 * Recall@100 of Table 5 in percent: the share of the 50 images that the VL model ranks highest among
 * the 100 that the CAV ranks highest. Of fewer than the paper's 2,000 images both numbers shrink in
 * proportion, so that a random ranking keeps its 5 %.
 *
 * @param vl a_c(x) of each image.
 */
export function scaledRecall(scores: ArrayLike<number>, vl: ArrayLike<number>): number {
  const share = Math.min(1, vl.length / imagesOfTable5);
  const count = (ofPaper: number) => Math.max(1, Math.round(share * ofPaper));
  return recallAtK(scores, { relevant: highest(vl, count(50)), k: count(100) });
}
