import { DataType } from "../_schema.ts";
import type { Value } from "../graph.ts";
import { countTo, extentOf, type GradientRule, number, shapeOf, type Step } from "./_step.ts";

/** Operators that take parts of values or put parts together. */
export const selectionRules: Readonly<Record<string, GradientRule>> = {
  Slice: [sliceInput, null, null, null, null],
  Gather: [gatherInput, null],
  Split: [splitInput, null],
  Concat: ({ inputs }) => inputs.map(() => concatOperand),
  Pad: [padInput, null, null, null],
};

function sliceInput(step: Step): Value {
  const { x, dy, inputs: [, starts, ends, axes, steps] } = step;
  const sliced = axes === undefined
    ? step.constantShape(starts)?.[0] ?? step.refuse("how many axes it cuts is not in the file")
    : step.wholeNumbers(axes) ?? step.refuse("the axes that it cuts are not in the file");
  const list = typeof sliced === "number" ? Array.from({ length: sliced }, (_, i) => i) : sliced;
  return list.reduce((gradient, axis, index) => {
    const extent = extentOf(step, x, axis);
    // They may be of 32 bits, and all that Slice takes must be of one type.
    const one = (value: Value | undefined) =>
      value &&
      step.node("Cast", [step.apply("Gather", value, step.integers([index]))], {
        to: DataType.int64,
      });
    // The same cut through 0, 1, 2, ... tells which rows were taken.
    const rows = step.apply(
      "Slice",
      countTo(step, extent),
      one(starts),
      one(ends),
      step.integers([0]),
      one(steps),
    );
    return putBack(step, gradient, { rows, extent, axis });
  }, dy);
}

/**
 * Puts rows of a gradient back to where they were taken from along an axis, zeros elsewhere; no row
 * was taken twice. A row of zeros is appended, and each place gathers its row or that one.
 */
function putBack(
  step: Step,
  gradient: Value,
  { rows, extent, axis }: { readonly rows: Value; readonly extent: Value; readonly axis: number },
): Value {
  const { apply } = step;
  const taken = shapeOf(step, rows);
  const sources = step.node("ScatterElements", [
    apply("Expand", taken, extent),
    rows,
    countTo(step, taken),
  ], { axis: 0 });
  const withZeros = apply(
    "Pad",
    gradient,
    step.integers([0, 1]),
    undefined,
    step.integers([axis]),
  );
  return step.node("Gather", [withZeros, sources], { axis });
}

function gatherInput(step: Step): Value {
  const { apply, x, dy, inputs: [, indices] } = step;
  const axis = number(step, "axis", 0);
  const before = step.node("Shape", [x], { start: 0, end: axis });
  const after = axis === -1 ? step.integers([]) : shapeOf(step, x, axis + 1);
  const rows = apply("Reshape", indices, step.integers([-1]));
  const count = shapeOf(step, rows);
  const shape = step.node("Concat", [before, count, after], { axis: 0 });
  const gradient = apply("Reshape", dy, shape);
  if (isWithoutRepeats(step.wholeNumbers(indices))) {
    return putBack(step, gradient, { rows, extent: extentOf(step, x, axis), axis });
  }
  const ones = apply("Expand", step.integers([1]), shapeOf(step, after));
  const column = step.node("Concat", [count, ones], { axis: 0 });
  return step.node("ScatterElements", [
    apply("ConstantOfShape", shapeOf(step, x)),
    apply("Expand", apply("Reshape", rows, column), shape),
    gradient,
  ], { axis, reduction: "add" });
}

/** Whether no row can be taken twice; a negative index may mean the same row as another. */
function isWithoutRepeats(indices: readonly number[] | undefined): boolean {
  if (indices === undefined) return false;
  return indices.length === 1 ||
    (new Set(indices).size === indices.length && indices.every((index) => index >= 0));
}

function splitInput(step: Step): Value {
  const parts = step.outputs.map((output, index) =>
    step.gradients[index] ?? step.apply("ConstantOfShape", shapeOf(step, output))
  );
  return step.node("Concat", parts, { axis: number(step, "axis", 0) });
}

function concatOperand(step: Step, operand: number): Value {
  const axis = number(step, "axis", 0);
  const extents = step.inputs.map((input) => extentOf(step, input!, axis));
  const sizes = step.node("Concat", extents, { axis: 0 });
  const attributes = { axis };
  return step.nodes("Split", [step.dy, sizes], { outputs: extents.length, attributes })[operand]!;
}

/** Cuts off what was added, by negative padding. */
function padInput(step: Step): Value {
  const { dy, inputs: [, pads, , axes] } = step;
  const mode = step.attributes["mode"] ?? "constant";
  if (mode !== "constant") step.refuse(`it repeats numbers at the border (mode ${mode})`);
  return step.apply("Pad", dy, step.apply("Neg", pads), undefined, axes);
}
