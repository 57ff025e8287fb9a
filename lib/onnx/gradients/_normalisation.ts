import { float, type Value } from "../graph.ts";
import { countTo, type GradientRule, number, reshapedLike, shapeOf, type Step } from "./_step.ts";

/** Normalisation at inference and softmax; scales and biases are constants. */
export const normalisationRules: Readonly<Record<string, GradientRule>> = {
  BatchNormalization: [batchNormInput],
  LayerNormalization: [layerNormInput],
  InstanceNormalization: [(step) => groupsInput(step, 0)],
  GroupNormalization: [(step) => groupsInput(step, number(step, "num_groups", 1))],
  Softmax: [softmaxInput],
  LogSoftmax: [logSoftmaxInput],
};

/** The batch norm is affine: the same one, without mean and bias. */
function batchNormInput(step: Step): Value {
  const { dy, inputs: [, scale, , , variance] } = step;
  const zeros = step.apply("Sub", scale, scale);
  return step.node("BatchNormalization", [dy, scale, zeros, zeros, variance], {
    epsilon: float(number(step, "epsilon", 1e-5)),
  });
}

function layerNormInput(step: Step): Value {
  const { x, dy, inputs: [, scale] } = step;
  const gradient = step.apply("Mul", dy, scale);
  return normalisedInput(step, { x, gradient, axes: axesFrom(step, number(step, "axis", -1)) });
}

/** The axes from one on to the last. */
function axesFrom(step: Step, axis: number): Value {
  if (axis < 0) return step.integers(Array.from({ length: -axis }, (_, index) => axis + index));
  const all = countTo(step, shapeOf(step, shapeOf(step, step.x)));
  const starts = step.integers([axis]);
  return step.apply(
    "Slice",
    all,
    starts,
    step.integers([Number.MAX_SAFE_INTEGER]),
    step.integers([0]),
  );
}

/** Each group of channels, [batch, channels, ...], has one mean and deviation; 0: each channel. */
function groupsInput(step: Step, groups: number): Value {
  const { x, dy, inputs: [, scale] } = step;
  const zeros = step.apply("Sub", scale, scale);
  const ones = step.apply("Add", zeros, 1);
  const scaled = step.node("BatchNormalization", [dy, scale, zeros, zeros, ones], {
    epsilon: float(0),
  });
  const rows = (value: Value) => step.apply("Reshape", value, step.integers([0, groups, -1]));
  const axes = step.integers([-1]);
  return reshapedLike(step, normalisedInput(step, { x: rows(x), gradient: rows(scaled), axes }), x);
}

/** From the gradient of (x - mean) / deviation to that of x. */
function normalisedInput(
  step: Step,
  { x, gradient, axes }: { readonly x: Value; readonly gradient: Value; readonly axes: Value },
): Value {
  const { apply } = step;
  const mean = (value: Value) => apply("ReduceMean", value, axes);
  const centred = apply("Sub", x, mean(x));
  const variance = mean(apply("Mul", centred, centred));
  const deviation = apply("Sqrt", apply("Add", variance, number(step, "epsilon", 1e-5)));
  const normalised = apply("Div", centred, deviation);
  const along = apply("Mul", normalised, mean(apply("Mul", gradient, normalised)));
  return apply("Div", apply("Sub", apply("Sub", gradient, mean(gradient)), along), deviation);
}

function softmaxInput(step: Step): Value {
  const { apply, y, dy } = step;
  const product = apply("Mul", dy, y);
  return apply("Sub", product, apply("Mul", y, sumOverAxis(step, product)));
}

function logSoftmaxInput(step: Step): Value {
  const { apply, y, dy } = step;
  return apply("Sub", dy, apply("Mul", apply("Exp", y), sumOverAxis(step, dy)));
}

function sumOverAxis(step: Step, value: Value): Value {
  return step.apply("ReduceSum", value, step.integers([number(step, "axis", -1)]));
}
