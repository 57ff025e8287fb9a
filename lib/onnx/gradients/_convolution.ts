import type { Attributes, Value } from "../graph.ts";
import { type GradientRule, numbers, shapeOf, type Step } from "./_step.ts";

/** Convolutions; their weights are constants. */
export const convolutionRules: Readonly<Record<string, GradientRule>> = {
  Conv: [convolutionInput],
};

/** What Conv and the pooling operators have in common, one number an axis of the image. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Begin of each axis, then end of each axis. */
  readonly pads: readonly number[];
}

/** The window of a node whose kernel has the given extents. */
export function windowOf(step: Step, kernel: readonly number[]): Window {
  const padding = step.attributes["auto_pad"] ?? "NOTSET";
  if (padding !== "NOTSET" && padding !== "VALID") {
    step.refuse(`its padding is chosen at run time (auto_pad ${padding})`);
  }
  const ones = kernel.map(() => 1);
  return {
    kernel,
    strides: numbers(step, "strides") ?? ones,
    dilations: numbers(step, "dilations") ?? ones,
    pads: numbers(step, "pads") ?? [...kernel, ...kernel].map(() => 0),
  };
}

/**
 * The transposed convolution of a gradient, in the shape of `x`. A stride leaves open how many rows
 * of x the last window left over, so as many as can be are computed, and those too many cut off.
 */
export function transposedConvolution(
  step: Step,
  operands: readonly Value[],
  { x, window, group }: { readonly x: Value; readonly window: Window; readonly group: number },
): Value {
  const { kernel, strides, dilations, pads } = window;
  const gradient = step.node("ConvTranspose", operands, {
    kernel_shape: kernel,
    strides,
    dilations,
    pads,
    group,
    output_padding: strides.map((stride) => stride - 1),
  });
  if (strides.every((stride) => stride === 1)) return gradient;
  const axes = kernel.map((_, axis) => axis + 2);
  const starts = step.integers(axes.map(() => 0));
  return step.apply("Slice", gradient, starts, shapeOf(step, x, 2), step.integers(axes));
}

function convolutionInput(step: Step): Value {
  const { inputs: [x, weight], dy, attributes } = step;
  const shape = step.constantShape(weight);
  const kernel = numbers(step, "kernel_shape") ?? shape?.slice(2);
  if (kernel === undefined) step.refuse("the size of its kernel is not in the file");
  const window = windowOf(step, kernel);
  const group = (attributes["group"] as number | undefined) ?? 1;
  const reflected = reflectedWindow(window);
  return shape === undefined || reflected === undefined
    ? transposedConvolution(step, [dy, weight!], { x: x!, window, group })
    : step.node("Conv", [dy, reflectedWeight(step, weight!, { shape, group })], {
      ...reflected,
      group,
    });
}

/**
 * With stride 1 a transposed convolution is a convolution with the kernel turned round, which
 * onnxruntime computes faster (7 times with a 7 x 7 kernel for each channel).
 */
function reflectedWindow({ kernel, strides, dilations, pads }: Window): Attributes | undefined {
  const reach = kernel.map((extent, axis) => (extent - 1) * dilations[axis]!);
  const complement = pads.map((pad, side) => reach[side % kernel.length]! - pad);
  const isConvolution = strides.every((stride) => stride === 1) &&
    complement.every((pad) => pad >= 0);
  return isConvolution ? { kernel_shape: kernel, dilations, pads: complement } : undefined;
}

/** A weight [outputs, inputs, ...] with inputs and outputs exchanged in each group, turned round. */
function reflectedWeight(
  step: Step,
  weight: Value,
  { shape, group }: { readonly shape: readonly number[]; readonly group: number },
): Value {
  const [outputs, inputs, ...kernel] = shape as [number, number, ...number[]];
  const grouped = step.apply(
    "Reshape",
    weight,
    step.integers([group, outputs / group, inputs, ...kernel]),
  );
  const perm = [0, 2, 1, ...kernel.map((_, axis) => axis + 3)];
  const exchanged = step.apply(
    "Reshape",
    step.node("Transpose", [grouped], { perm }),
    step.integers([group * inputs, outputs / group, ...kernel]),
  );
  const each = (value: number) => step.integers(kernel.map(() => value));
  const axes = step.integers(kernel.map((_, axis) => axis + 2));
  return step.apply("Slice", exchanged, each(-1), each(-(2 ** 63)), axes, each(-1));
}
