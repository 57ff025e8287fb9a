import type { Value } from "../graph.ts";
import { asFloat, type GradientRule, number, shapeOf, type Step } from "./_step.ts";

/** Reductions over axes. */
export const reductionRules: Readonly<Record<string, GradientRule>> = {
  ReduceSum: [(s) => spread(s, kept(s, s.dy)), null],
  ReduceMean: [meanInput, null],
  ReduceL1: [(s) => s.apply("Mul", s.apply("Sign", s.x), kept(s, s.dy)), null],
  ReduceL2: [normInput, null],
  ReduceSumSquare: [(s) => s.apply("Mul", s.x, kept(s, s.apply("Mul", s.dy, 2))), null],
  ReduceLogSumExp: [
    (s) => s.apply("Mul", s.apply("Exp", s.apply("Sub", s.x, kept(s, s.y))), kept(s, s.dy)),
    null,
  ],
  ReduceProd: [(s) => s.apply("Div", kept(s, s.apply("Mul", s.dy, s.y)), s.x), null],
  ReduceMax: [shareOfExtreme, null],
  ReduceMin: [shareOfExtreme, null],
};

function meanInput(step: Step): Value {
  const count = step.apply("Div", size(step, step.x), size(step, step.y));
  return spread(step, kept(step, step.apply("Div", step.dy, count)));
}

/** x / |x|, and 0 where the norm is 0. */
function normInput(step: Step): Value {
  const { apply, x, y, dy } = step;
  const norm = apply("Add", y, asFloat(step, apply("Equal", y, 0)));
  return apply("Mul", x, kept(step, apply("Div", dy, norm)));
}

/** A value of the result's shape with the axes that were summed over as ones. */
function kept(step: Step, value: Value): Value {
  const axes = step.inputs[1];
  // Without axes the result is one number, which broadcasts as it is.
  if (number(step, "keepdims", 1) === 1 || axes === undefined) return value;
  return step.apply("Unsqueeze", value, axes);
}

function spread(step: Step, value: Value): Value {
  return step.apply("Expand", value, shapeOf(step, step.x));
}

function size(step: Step, value: Value): Value {
  return asFloat(step, step.apply("Size", value));
}

/** Numbers that are equally great share the gradient, as in PyTorch's amax. */
function shareOfExtreme(step: Step): Value {
  const { apply, x, y, dy, inputs: [, axes] } = step;
  const isExtreme = asFloat(step, apply("Equal", x, kept(step, y)));
  const count = step.node(
    "ReduceSum",
    [isExtreme, axes],
    step.attributes["keepdims"] === 0 ? { keepdims: 0 } : {},
  );
  return apply("Mul", isExtreme, kept(step, apply("Div", dy, count)));
}
