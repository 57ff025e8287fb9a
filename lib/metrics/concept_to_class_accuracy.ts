import { cosine, row, type Tensor } from "../tensor/mod.ts";

/**
 * Concept-to-class accuracy of one pair (c, k): the mean over inputs of the cosine of v_c [D] and the
 * gradient of logit h_k at f(x), times 100 (Tables 2, 10, 12 and 14). On last-layer features the
 * gradient is row k of the last layer's weight, whatever x is: one row says it all. A zero CAV or
 * gradient points nowhere and gives 0.
 *
 * @param gradients of h_k at the pair's inputs, [inputs, D].
 * @throws {RangeError} when there is no input.
 */
export function conceptToClassAccuracy(
  conceptVector: ArrayLike<number>,
  gradients: Tensor,
): number {
  const [inputs = 0] = gradients.shape;
  if (inputs === 0) throw new RangeError("Concept-to-class accuracy of a pair without inputs.");
  let sum = 0;
  for (let i = 0; i < inputs; i++) sum += cosine(conceptVector, row(gradients, i));
  return (100 * sum) / inputs;
}
