import type { Value } from "../graph.ts";
import { asFloat, type GradientRule, type OperandRule, type Step, sumTo } from "./_step.ts";

/** Operators on two or more values that are broadcast. */
export const arithmeticRules: Readonly<Record<string, GradientRule>> = {
  Add: [broadcast((s) => s.dy), broadcast((s) => s.dy)],
  Sub: [broadcast((s) => s.dy), broadcast((s) => s.apply("Neg", s.dy))],
  Mul: [
    broadcast((s) => s.apply("Mul", s.dy, s.inputs[1])),
    broadcast((s) => s.apply("Mul", s.dy, s.inputs[0])),
  ],
  Div: [
    broadcast((s) => s.apply("Div", s.dy, s.inputs[1])),
    broadcast((s) => s.apply("Neg", s.apply("Div", s.apply("Mul", s.dy, s.y), s.inputs[1]))),
  ],
  // The exponent may be of whole numbers.
  Pow: [
    broadcast((s) => {
      const exponent = asFloat(s, s.inputs[1]!);
      const lower = s.apply("Pow", s.x, s.apply("Sub", exponent, 1));
      return s.apply("Mul", s.dy, s.apply("Mul", exponent, lower));
    }),
  ],
  Where: [
    null,
    broadcast((s) => s.apply("Where", s.inputs[0], s.dy, 0)),
    broadcast((s) => s.apply("Where", s.inputs[0], 0, s.dy)),
  ],
  Sum: ({ inputs }) => inputs.map(() => broadcast((s) => s.dy)),
  Mean: ({ inputs }) => inputs.map(() => broadcast((s) => s.apply("Div", s.dy, inputs.length))),
  Max: ({ inputs }) => inputs.map(() => broadcast(shareOfExtreme)),
  Min: ({ inputs }) => inputs.map(() => broadcast(shareOfExtreme)),
};

function broadcast(rule: (step: Step, operand: number) => Value): OperandRule {
  return (step, operand) => {
    const gradient = rule(step, operand);
    const others = step.inputs.filter((_, index) => index !== operand);
    return others.every((other) => repeatsNothing(step, other))
      ? gradient
      : sumTo(step, gradient, step.inputs[operand]!);
  };
}

/** Whether a value is a constant of one number, along which nothing is repeated. */
function repeatsNothing(step: Step, value: Value | undefined): boolean {
  const shape = step.constantShape(value);
  return shape?.length === 0 || (shape?.length === 1 && shape[0] === 1);
}

/** Operands that are equally great share the gradient, as in PyTorch. */
function shareOfExtreme(step: Step, operand: number): Value {
  const { apply, inputs, y } = step;
  const isExtreme = inputs.map((input) => asFloat(step, apply("Equal", input, y)));
  const count = isExtreme.reduce((sum, one) => apply("Add", sum, one));
  return apply("Div", apply("Mul", step.dy, isExtreme[operand]), count);
}
