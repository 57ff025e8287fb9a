import type { Value } from "../graph.ts";
import {
  asFloat,
  type GradientRule,
  number,
  type OperandRule,
  positive,
  type Step,
} from "./_step.ts";

/** Operators on each number by itself: the gradient is multiplied by the derivative there. */
export const activationRules: Readonly<Record<string, GradientRule>> = {
  Relu: [pointwise((s) => positive(s, s.y))],
  LeakyRelu: [pointwise((s) => either(s, 1, number(s, "alpha", 0.01)))],
  PRelu: [pointwise((s) => either(s, 1, s.inputs[1]!))],
  Elu: [pointwise((s) => either(s, 1, s.apply("Add", s.y, number(s, "alpha", 1))))],
  Celu: [
    pointwise((s) => either(s, 1, s.apply("Add", s.apply("Div", s.y, number(s, "alpha", 1)), 1))),
  ],
  Selu: [
    pointwise((s) => {
      const gamma = number(s, "gamma", 1.0507009873554805);
      const alpha = number(s, "alpha", 1.6732632423543772);
      return either(s, gamma, s.apply("Add", s.y, alpha * gamma));
    }),
  ],
  Sigmoid: [pointwise((s) => s.apply("Mul", s.y, complement(s, s.y)))],
  HardSigmoid: [
    pointwise((s) => s.apply("Mul", number(s, "alpha", 0.2), strictlyInside(s, s.y))),
  ],
  HardSwish: [
    pointwise((s) => {
      const gate = s.node("HardSigmoid", [s.x], { alpha: 1 / 6, beta: 0.5 });
      const slope = s.apply("Mul", strictlyInside(s, gate), 1 / 6);
      return s.apply("Add", gate, s.apply("Mul", s.x, slope));
    }),
  ],
  Swish: [
    pointwise((s) => {
      const alpha = number(s, "alpha", 1);
      const gate = s.apply("Sigmoid", s.apply("Mul", s.x, alpha));
      const slope = s.apply("Mul", s.apply("Mul", s.y, alpha), complement(s, gate));
      return s.apply("Add", gate, slope);
    }),
  ],
  Mish: [
    pointwise((s) => {
      const gate = s.apply("Tanh", s.apply("Softplus", s.x));
      const slope = complement(s, s.apply("Mul", gate, gate));
      const inner = s.apply("Mul", slope, s.apply("Sigmoid", s.x));
      return s.apply("Add", gate, s.apply("Mul", s.x, inner));
    }),
  ],
  Gelu: [
    pointwise((s) => s.attributes["approximate"] === "tanh" ? tanhGeluSlope(s) : geluSlope(s)),
  ],
  Erf: [
    pointwise((s) => s.apply("Mul", gaussian(s, s.apply("Mul", s.x, s.x)), 2 / Math.sqrt(Math.PI))),
  ],
  Tanh: [pointwise((s) => complement(s, s.apply("Mul", s.y, s.y)))],
  Softplus: [pointwise((s) => s.apply("Sigmoid", s.x))],
  Softsign: [
    pointwise((s) => {
      const root = complement(s, s.apply("Abs", s.y));
      return s.apply("Mul", root, root);
    }),
  ],
  // As PyTorch has it: the bounds let the gradient through.
  Clip: [pointwise((s) => asFloat(s, s.apply("Equal", s.x, s.y))), null, null],
  Exp: [pointwise((s) => s.y)],
  Log: [(s) => s.apply("Div", s.dy, s.x)],
  Sqrt: [(s) => s.apply("Div", s.dy, s.apply("Mul", s.y, 2))],
  Reciprocal: [pointwise((s) => s.apply("Neg", s.apply("Mul", s.y, s.y)))],
  Neg: [(s) => s.apply("Neg", s.dy)],
  Abs: [pointwise((s) => s.apply("Sign", s.x))],
  Sin: [pointwise((s) => s.apply("Cos", s.x))],
  Cos: [pointwise((s) => s.apply("Neg", s.apply("Sin", s.x)))],
};

function pointwise(derivative: (step: Step) => Value): OperandRule {
  return (step) => step.apply("Mul", step.dy, derivative(step));
}

/** 1 - value. */
function complement(step: Step, value: Value): Value {
  return step.apply("Sub", 1, value);
}

/** One derivative where x is positive, another elsewhere. */
function either(step: Step, above: number, below: Value | number): Value {
  const { apply } = step;
  const isPositive = positive(step, step.x);
  const rest = apply("Mul", apply("Sub", 1, isPositive), below);
  return apply("Add", apply("Mul", isPositive, above), rest);
}

/** 1 where a value in [0, 1] is neither 0 nor 1, else 0. */
function strictlyInside(step: Step, value: Value): Value {
  return positive(step, step.apply("Mul", value, complement(step, value)));
}

/** exp(-value). */
function gaussian(step: Step, value: Value): Value {
  return step.apply("Exp", step.apply("Neg", value));
}

/** Of x Φ(x): Φ(x) + x φ(x). */
function geluSlope(step: Step): Value {
  const { apply, x } = step;
  const cumulative = apply(
    "Mul",
    apply("Add", apply("Erf", apply("Mul", x, Math.SQRT1_2)), 1),
    0.5,
  );
  const density = apply(
    "Mul",
    gaussian(step, apply("Mul", apply("Mul", x, x), 0.5)),
    1 / Math.sqrt(2 * Math.PI),
  );
  return apply("Add", cumulative, apply("Mul", x, density));
}

/** Of x (1 + tanh(u)) / 2 with u = sqrt(2 / π) (x + 0.044715 x³). */
function tanhGeluSlope(step: Step): Value {
  const { apply, x } = step;
  const [scale, cubic] = [Math.sqrt(2 / Math.PI), 0.044715];
  const square = apply("Mul", x, x);
  const inner = apply("Mul", apply("Add", apply("Mul", square, cubic), 1), scale);
  const tanh = apply("Tanh", apply("Mul", x, inner));
  const innerSlope = apply("Mul", apply("Add", apply("Mul", square, 3 * cubic), 1), scale);
  const tanhSlope = apply("Mul", complement(step, apply("Mul", tanh, tanh)), innerSlope);
  const twice = apply("Add", apply("Add", tanh, 1), apply("Mul", x, tanhSlope));
  return apply("Mul", twice, 0.5);
}
