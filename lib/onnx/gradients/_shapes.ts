import type { Value } from "../graph.ts";
import { DataType } from "../_schema.ts";
import {
  countTo,
  type GradientRule,
  numbers,
  type OperandRule,
  reshapedLike,
  shapeOf,
  type Step,
  sumTo,
} from "./_step.ts";

/** Operators that move, repeat or rename numbers. */
export const shapeRules: Readonly<Record<string, GradientRule>> = {
  Identity: [(s) => s.dy],
  // At inference.
  Dropout: [(s) => s.dy, null, null],
  Cast: ({ attributes: { to } }) => [DataType.float === to ? (s) => s.dy : castToOther(to)],
  Reshape: [(s) => reshapedLike(s, s.dy, s.x), null],
  Flatten: [(s) => reshapedLike(s, s.dy, s.x)],
  Squeeze: [(s) => reshapedLike(s, s.dy, s.x), null],
  Unsqueeze: [(s) => reshapedLike(s, s.dy, s.x), null],
  Transpose: [transposeInput],
  Expand: [(s) => sumTo(s, s.dy, s.x), null],
  Tile: [tileInput, null],
};

/** Whole numbers have no gradient. */
function castToOther(to: unknown): OperandRule | null {
  const isFloat = [DataType.float16, DataType.double, DataType.bfloat16].includes(to as never);
  return isFloat ? (step) => step.refuse("its result is not of 32-bit floats") : null;
}

function transposeInput(step: Step): Value {
  const perm = numbers(step, "perm");
  // Without a permutation the axes are turned round, which undoes itself.
  if (perm === undefined) return step.apply("Transpose", step.dy);
  return step.node("Transpose", [step.dy], { perm: perm.map((_, axis) => perm.indexOf(axis)) });
}

/** Sums over the copies: each axis is cut into [copies, extent]. */
function tileInput(step: Step): Value {
  const { apply, x, dy, inputs: [, repeats] } = step;
  const column = (value: Value) => apply("Unsqueeze", value, step.integers([1]));
  const cut = step.node("Concat", [column(repeats!), column(shapeOf(step, x))], { axis: 1 });
  const copies = apply("Reshape", dy, apply("Reshape", cut, step.integers([-1])));
  const axes = apply("Mul", countTo(step, shapeOf(step, repeats!)), step.integers([2]));
  return reshapedLike(step, apply("ReduceSum", copies, axes), x);
}
