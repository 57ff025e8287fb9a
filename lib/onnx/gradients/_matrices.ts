import { float, type Value } from "../graph.ts";
import {
  broadcastShape,
  type GradientRule,
  number,
  type OperandRule,
  type Step,
  sumTo,
} from "./_step.ts";

/** Products of matrices. */
export const matrixRules: Readonly<Record<string, GradientRule>> = {
  MatMul: [matMulLeft, matMulRight],
  Gemm: [gemmLeft, gemmRight, gemmSummand],
  Einsum: ({ inputs, attributes }) =>
    inputs.map((_, operand) => einsumOperand(attributes["equation"] as string, operand)),
};

/** dY Bᵀ. */
function matMulLeft(step: Step): Value {
  const { dy, inputs: [left, right] } = step;
  refuseVectors(step);
  // A constant matrix is turned once, when the graph is loaded.
  if (step.constantShape(right)?.length === 2) {
    return step.apply("MatMul", dy, step.node("Transpose", [right], { perm: [1, 0] }));
  }
  return sumTo(step, einsum(step, "...ij,...kj->...ik", [dy, right!]), left!);
}

/** Aᵀ dY. */
function matMulRight(step: Step): Value {
  const { dy, inputs: [left, right] } = step;
  refuseVectors(step);
  return sumTo(step, einsum(step, "...ji,...jk->...ik", [left!, dy]), right!);
}

/** A sum of products whose operands get as many axes as the gradient has. */
function einsum(step: Step, equation: string, operands: readonly Value[]): Value {
  const padded = operands.map((operand) =>
    operand === step.dy
      ? operand
      : step.apply("Reshape", operand, broadcastShape(step, operand, step.dy))
  );
  return step.node("Einsum", padded, { equation });
}

function refuseVectors(step: Step): void {
  if (step.inputs.some((input) => step.constantShape(input)?.length === 1)) {
    step.refuse("one of its operands is a vector");
  }
}

/** Of Y = α A B + β C, where A and B may be transposed. */
function gemmLeft(step: Step): Value {
  const [transA, transB] = [number(step, "transA", 0), number(step, "transB", 0)];
  const { dy, inputs: [, right] } = step;
  return transA === 1
    ? product(step, [right!, dy], { transA: transB, transB: 1 })
    : product(step, [dy, right!], { transB: 1 - transB });
}

function gemmRight(step: Step): Value {
  const [transA, transB] = [number(step, "transA", 0), number(step, "transB", 0)];
  const { dy, inputs: [left] } = step;
  return transB === 1
    ? product(step, [dy, left!], { transA: 1, transB: transA })
    : product(step, [left!, dy], { transA: 1 - transA });
}

function gemmSummand(step: Step): Value {
  const scaled = step.apply("Mul", step.dy, number(step, "beta", 1));
  return sumTo(step, scaled, step.inputs[2]!);
}

function product(
  step: Step,
  operands: readonly Value[],
  transposed: { readonly transA?: number; readonly transB?: number },
): Value {
  return step.node("Gemm", operands, { alpha: float(number(step, "alpha", 1)), ...transposed });
}

/** The same sum of products with the operand and the result exchanged. */
function einsumOperand(equation: string, operand: number): OperandRule {
  return (step) => {
    const [terms, result] = equation.replaceAll(" ", "").split("->");
    const operands = terms!.split(",");
    const own = operands[operand]!;
    const others = [result!, ...operands.filter((_, index) => index !== operand)];
    const letters = [...own.replace("...", "")];
    if (
      result === undefined || new Set(letters).size < letters.length ||
      letters.some((letter) => !others.some((term) => term.includes(letter)))
    ) {
      step.refuse(`its equation ${equation} sums an operand by itself or names no result`);
    }
    const inputs = [step.dy, ...step.inputs.filter((_, index) => index !== operand)];
    return step.node("Einsum", inputs, { equation: `${others.join(",")}->${own}` });
  };
}
