import { tensor } from "../../tensor/mod.ts";
import type { Attributes, Value } from "../graph.ts";
import { transposedConvolution, type Window, windowOf } from "./_convolution.ts";
import {
  asFloat,
  type GradientRule,
  number,
  numbers,
  reshapedLike,
  shapeOf,
  type Step,
} from "./_step.ts";

/** Pooling. */
export const poolingRules: Readonly<Record<string, GradientRule>> = {
  MaxPool: [maxPoolInput],
  AveragePool: [averagePoolInput],
  GlobalAveragePool: [globalAverageInput],
  GlobalMaxPool: [globalMaxInput],
};

/** Adds each gradient where the greatest number of its window stands; windows may overlap. */
function maxPoolInput(step: Step): Value {
  const { apply, x, dy } = step;
  if (number(step, "storage_order", 0) !== 0) step.refuse("its indices are column-major");
  const attributes = step.attributes as Attributes;
  // Counted over the whole of x. The first of equal numbers is taken, as in PyTorch.
  const [, indices] = step.nodes("MaxPool", [x], { outputs: 2, attributes });
  const flat = step.integers([-1]);
  const scattered = step.node("ScatterElements", [
    apply("ConstantOfShape", apply("Reshape", apply("Size", x), flat)),
    apply("Reshape", indices, flat),
    apply("Reshape", dy, flat),
  ], { axis: 0, reduction: "add" });
  return reshapedLike(step, scattered, x);
}

/** Spreads each gradient over its window. */
function averagePoolInput(step: Step): Value {
  const { apply, x, dy } = step;
  const kernel = numbers(step, "kernel_shape")!;
  const window = windowOf(step, kernel);
  const ones = step.constant(
    tensor([1, 1, ...kernel], new Float32Array(product(kernel)).fill(1)),
  );
  const share = apply("Div", dy, windowCounts(step, { window, ones }));
  // Each channel is an image by itself, so that one kernel does for all.
  const images = step.node("Concat", [step.integers([-1, 1]), shapeOf(step, dy, 2)], { axis: 0 });
  const operands = [apply("Reshape", share, images), ones];
  return reshapedLike(step, transposedConvolution(step, operands, { x, window, group: 1 }), x);
}

/** How many numbers each window's mean is taken of, [1, 1, ...] or one number. */
function windowCounts(
  step: Step,
  { window, ones }: { readonly window: Window; readonly ones: Value },
): Value | number {
  const { kernel, strides, dilations, pads } = window;
  const countsPads = number(step, "count_include_pad", 0) === 1;
  const roundsUp = number(step, "ceil_mode", 0) === 1;
  if (!roundsUp && (countsPads || pads.every((pad) => pad === 0))) return product(kernel);
  const { apply } = step;
  const axes = kernel.map((_, axis) => axis);
  const counted = axes.map((axis) => countsPads ? pads[axis]! + pads[axis + kernel.length]! : 0);
  const extents = apply("Add", shapeOf(step, step.x, 2), step.integers(counted));
  const shape = step.node("Concat", [step.integers([1, 1]), extents], { axis: 0 });
  const counts = step.node("Conv", [apply("Expand", 1, shape), ones], {
    kernel_shape: kernel,
    strides,
    dilations,
    pads: [
      ...axes.map((axis) => countsPads ? 0 : pads[axis]!),
      ...axes.map((axis) =>
        (countsPads ? 0 : pads[axis + kernel.length]!) + (roundsUp ? strides[axis]! - 1 : 0)
      ),
    ],
  });
  const starts = step.integers(axes.map(() => 0));
  const spatial = step.integers(axes.map((axis) => axis + 2));
  return apply("Slice", counts, starts, shapeOf(step, step.dy, 2), spatial);
}

function globalAverageInput(step: Step): Value {
  const { apply, x, dy } = step;
  const count = asFloat(step, apply("ReduceProd", shapeOf(step, x, 2)));
  return apply("Expand", apply("Div", dy, apply("Squeeze", count)), shapeOf(step, x));
}

/** Equally great numbers share the gradient. */
function globalMaxInput(step: Step): Value {
  const { apply, x, y, dy } = step;
  const isGreatest = asFloat(step, apply("Equal", x, y));
  const pixels = apply("Reshape", isGreatest, step.integers([0, 0, -1]));
  const counts = apply("ReduceSum", pixels, step.integers([-1]));
  return apply("Mul", isGreatest, apply("Div", dy, reshapedLike(step, counts, dy)));
}

function product(extents: readonly number[]): number {
  return extents.reduce((size, extent) => size * extent, 1);
}
