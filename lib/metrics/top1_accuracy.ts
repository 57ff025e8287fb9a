import { row, type Tensor } from "../tensor/mod.ts";

/**
 * Top-1 accuracy in percent: the share of images whose highest logit is that of their class
 * (Tables 3, 4, 6 and 7). Of equal logits the first is the prediction.
 *
 * @param logits [images, classes].
 * @param labels Class numbers, [images].
 * @throws {RangeError} when there are no images, or not one label for each.
 */
export function top1Accuracy(logits: Tensor, labels: ArrayLike<number>): number {
  const images = logits.shape[0] ?? 0;
  if (images === 0 || images !== labels.length) {
    throw new RangeError(`Top-1 accuracy of ${images} images with ${labels.length} labels.`);
  }
  const correct = predictedClasses(logits).reduce((sum, k, i) => sum + Number(k === labels[i]), 0);
  return (100 * correct) / images;
}

/**
 * The class of the highest logit of each image, [images]; of equal logits the first, and -1 where
 * all are NaN.
 *
 * @param logits [images, classes].
 */
export function predictedClasses(logits: Tensor): Int32Array {
  return Int32Array.from(
    { length: logits.shape[0] ?? 0 },
    (_, i) => indexOfHighest(row(logits, i)),
  );
}

/** A NaN is never the highest, so a broken model cannot score by chance; -1 when all are NaN. */
function indexOfHighest(values: Float32Array): number {
  let best = -1;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isNaN(values[i]) && (best === -1 || values[i]! > values[best]!)) best = i;
  }
  return best;
}
