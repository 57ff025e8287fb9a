import type { AttributeValue } from "../_attributes.ts";
import type { Operators, Value } from "../graph.ts";

/** One node on the way back: what its rules read, and what they write the gradient with. */
export interface Step extends Operators {
  readonly attributes: Readonly<Record<string, AttributeValue | undefined>>;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  /** The gradient of each output; undefined where the result does not depend on it. */
  readonly gradients: readonly (Value | undefined)[];
  /** The node's first input. */
  readonly x: Value;
  /** The node's first output. */
  readonly y: Value;
  /** The gradient of the first output, in its shape. */
  readonly dy: Value;
  /** The one output of a node without attributes; numbers are float scalars. */
  apply(operator: string, ...operands: readonly (Value | number | undefined)[]): Value;
  /** The extents of a constant; undefined when it is no constant. */
  constantShape(value: Value | undefined): readonly number[] | undefined;
  /** The whole numbers of a constant; undefined when it is no constant or holds others. */
  wholeNumbers(value: Value | undefined): readonly number[] | undefined;
  /** Stops with a sentence that names the node. */
  refuse(reason: string): never;
}

/** Writes the gradient of the result with respect to one operand, in the operand's shape. */
export type OperandRule = (step: Step, operand: number) => Value;

/**
 * A rule for each operand: `null` where no gradient goes, since it is a whole number, a shape or a
 * condition; nothing where the gradient is not implemented.
 */
export type OperandRules = readonly (OperandRule | null)[];

/** The rules of an operator, which may depend on the node. */
export type GradientRule =
  | OperandRules
  | ((node: Pick<Step, "attributes"> & { readonly inputs: readonly string[] }) => OperandRules);

/** A whole-number or float attribute. */
export function number({ attributes }: Step, name: string, otherwise: number): number {
  return (attributes[name] as number | undefined) ?? otherwise;
}

/** A list of numbers among the attributes. */
export function numbers({ attributes }: Step, name: string): readonly number[] | undefined {
  return attributes[name] as readonly number[] | undefined;
}

/** The shape of a value, or of its axes from `start` on, as whole numbers. */
export function shapeOf(step: Step, value: Value, start = 0): Value {
  return step.node("Shape", [value], start === 0 ? {} : { start });
}

/** The extent of one axis, [1]. */
export function extentOf(step: Step, value: Value, axis: number): Value {
  return step.node("Shape", [value], axis === -1 ? { start: -1 } : { start: axis, end: axis + 1 });
}

/** `gradient` in the shape of `like`, which holds as many numbers. */
export function reshapedLike(step: Step, gradient: Value, like: Value): Value {
  return step.apply("Reshape", gradient, shapeOf(step, like));
}

/** 1 where a value is greater than 0, else 0. */
export function positive(step: Step, value: Value): Value {
  return asFloat(step, step.apply("Greater", value, 0));
}

/** 32-bit floats of whole numbers or conditions. */
export function asFloat(step: Step, value: Value): Value {
  return step.node("Cast", [value], { to: 1 });
}

/** A whole number without axes, as Range takes it. */
function wholeScalar(step: Step, value: number): Value {
  return step.apply("Squeeze", step.integers([value]));
}

/** 0, 1, ... up to a length [1]. */
export function countTo(step: Step, length: Value): Value {
  const [start, delta] = [wholeScalar(step, 0), wholeScalar(step, 1)];
  return step.apply("Range", start, step.apply("Squeeze", length), delta);
}

/**
 * Sums a gradient over the axes along which `operand` was repeated by broadcasting. Shapes are known
 * when the graph runs, and so are these axes: those whose extents differ.
 */
export function sumTo(step: Step, gradient: Value, operand: Value): Value {
  const { apply } = step;
  const differs = apply(
    "Not",
    apply("Equal", broadcastShape(step, operand, gradient), shapeOf(step, gradient)),
  );
  const axes = apply("Reshape", apply("NonZero", differs), step.integers([-1]));
  const summed = step.node("ReduceSum", [gradient, axes], { noop_with_empty_axes: 1 });
  return reshapedLike(step, summed, operand);
}

/** The shape of a value with ones before it, as many extents as `like` has. */
export function broadcastShape(step: Step, value: Value, like: Value): Value {
  const [shape, full] = [shapeOf(step, value), shapeOf(step, like)];
  const missing = step.apply("Sub", shapeOf(step, full), shapeOf(step, shape));
  const pads = step.node("Concat", [missing, step.integers([0])], { axis: 0 });
  return step.apply("Pad", shape, pads, wholeScalar(step, 1));
}
