import { UserError } from "../files/mod.ts";
import { attributesOf } from "./_attributes.ts";
import { checkValues, declaredInfo, dependents, operandsOf, originOf } from "./_dependence.ts";
import { type GraphParts, operatorsInto, valueInfo } from "./_operators.ts";
import { type Program, readProgram, wholeNumbers, writeProgram } from "./_program.ts";
import type { NodeProto } from "./_schema.ts";
import type { Operators, Value } from "./graph.ts";
import type { Step } from "./gradients/mod.ts";

/** What is differentiated with respect to what. */
export interface DifferentiateOptions {
  /** The result, [batch, classes] for logits. */
  readonly of: string;
  /** Inputs or inner values. */
  readonly at: readonly string[];
  /** Values to compute beside the gradients, by their own names. */
  readonly outputs?: readonly string[];
}

/** The name that a differentiated graph gives to the gradient with respect to a value. */
export function gradientName(value: string): string {
  return `gradient of ${value}`;
}

/**
 * The reverse-mode derivative of an ONNX graph of 32-bit floats, as an ONNX graph. It takes what the
 * model takes and `gradientName(of)`, in the shape of `of`: the weight of each of its numbers in the
 * sum that is differentiated. It computes `gradientName(value)` for each value of `at`, in that
 * value's shape. Where each image's logits depend on that image alone, a row of weights that is one
 * for class k and zero elsewhere gives the gradient of that image's logit k.
 *
 * Weights are constants: only what is computed from an input or another inner value has a gradient.
 * Nodes and constants that the outputs do not need are left out. External data stays where it is.
 *
 * @example
 * ```ts
 * import { tensor } from "../tensor/mod.ts";
 * import { createGraph, differentiate, gradientName, openSession } from "./mod.ts";
 *
 * const graph = createGraph("square");
 * const x = graph.input("x", ["rows", 2]);
 * graph.output(graph.node("Mul", [x, x]), "y");
 * const session = await openSession(differentiate(graph.build(), { of: "y", at: ["x"] }));
 * const feeds = {
 *   x: tensor([1, 2], Float32Array.of(3, 4)),
 *   [gradientName("y")]: tensor([1, 2], Float32Array.of(1, 0.5)),
 * };
 * const gradients = await session.run(feeds, [gradientName("x")]);
 * await session.close();
 * console.log(gradients["gradient of x"]!.data); // Float32Array(2) [ 6, 4 ]
 * ```
 *
 * @throws {RangeError} when the bytes are no ONNX model.
 * @throws {UserError} when a name is not in the graph, the result does not depend on a value, or the
 * gradient of an operator between them is not implemented; it names operator and node.
 */
export function differentiate(
  model: Uint8Array,
  { of, at, outputs = [] }: DifferentiateOptions,
): Uint8Array {
  const program = readProgram(model);
  const action = `Differentiating ${of} with respect to ${at.join(", ")}`;
  checkValues(program, [of, ...at, ...outputs], { action });
  const taken = [of, ...at].map(gradientName)
    .filter((name) => program.producers.has(name) || program.declared.has(name));
  if (taken.length > 0) {
    throw new UserError(
      `${action}: the graph has a value ${taken[0]} already; differentiate the model that it was ` +
        `made from.`,
    );
  }
  const parts: GraphParts = {
    nodes: [...program.nodes],
    constants: [...program.constants.values()],
  };
  const operators = shareNodes(operatorsInto(parts, program.fresh));
  const gradientOf = propagate(program, { of, at, operators, action });
  for (const value of at) {
    const gradient = gradientOf(originOf(program, value));
    if (gradient === undefined || value === of) {
      throw new UserError(
        `${action}: ${of} does not depend on the numbers of ${value}; choose a value before it.`,
      );
    }
    parts.nodes.push({
      input: [gradient],
      output: [gradientName(value)],
      op_type: "Identity",
      attribute: [],
    });
  }
  const gradientInfo = (value: string) => ({
    ...(declaredInfo(program, value) ?? valueInfo(value)),
    name: gradientName(value),
  });
  return writeProgram(program, {
    ...parts,
    inputs: [...program.inputs, gradientInfo(of)],
    outputs: [
      ...at.map(gradientInfo),
      ...outputs.map((name) => declaredInfo(program, name) ?? valueInfo(name)),
    ],
  });
}

/** Writes the nodes that carry the gradient back; says under which name a value's gradient is. */
function propagate(
  program: Program,
  { of, at, operators, action }: {
    readonly of: string;
    readonly at: readonly string[];
    readonly operators: Operators;
    readonly action: string;
  },
): (value: string) => Value | undefined {
  const reached = dependents(program, at.map((value) => originOf(program, value)));
  const gradients = new Map<string, Value>([[of, gradientName(of) as Value]]);
  for (const node of program.nodes.toReversed()) {
    if (!node.output.some((name) => gradients.has(name))) continue;
    const step: Step = stepBack(program, { node, gradients, operators, action });
    if (node.op_type !== "Split" && node.output.slice(1).some((name) => gradients.has(name))) {
      step.refuse("more than its first output is needed");
    }
    for (const { name, index, rule } of operandsOf(node)) {
      if (rule === null || !reached.has(name)) continue;
      if (rule === undefined) {
        step.refuse(`operand ${index + 1}, ${name}, is needed and not implemented`);
      }
      const [gradient, known] = [rule(step, index), gradients.get(name)];
      gradients.set(name, known === undefined ? gradient : step.apply("Add", known, gradient));
    }
  }
  return (value) => gradients.get(value);
}

function stepBack(
  program: Program,
  { node, gradients, operators, action }: {
    readonly node: NodeProto;
    readonly gradients: ReadonlyMap<string, Value>;
    readonly operators: Operators;
    readonly action: string;
  },
): Step {
  const inputs = node.input.map((name) => name === "" ? undefined : name as Value);
  const constantOf = (value: Value | undefined) =>
    program.constants.get(originOf(program, value ?? ""));
  const outputGradients = node.output.map((name) => gradients.get(name));
  return {
    ...operators,
    attributes: attributesOf(node),
    inputs,
    outputs: node.output as readonly Value[],
    gradients: outputGradients,
    x: inputs[0]!,
    y: node.output[0] as Value,
    dy: outputGradients[0]!,
    apply: (operator, ...operands) =>
      operators.node(
        operator,
        operands.map((operand) =>
          typeof operand === "number" ? operators.scalar(operand) : operand
        ),
      ),
    constantShape: (value) => constantOf(value)?.dims,
    wholeNumbers: (value) => wholeNumbers(constantOf(value)),
    refuse(reason) {
      const operator = [node.domain, node.op_type].filter(Boolean).join(".");
      const name = node.name || node.output.join(", ");
      throw new UserError(
        `${action}: the gradient of operator ${operator} at node ${name} cannot be written, since ` +
          `${reason}; choose a value after that node.`,
      );
    },
  };
}

/** Writes a node or a constant that was written before no second time. */
function shareNodes(operators: Operators): Operators {
  const written = new Map<string, Value[]>();
  const once = (key: readonly unknown[], write: () => Value[]): Value[] => {
    const text = JSON.stringify(key);
    const values = written.get(text) ?? write();
    written.set(text, values);
    return values;
  };
  const nodes: Operators["nodes"] = (operator, inputs, options) =>
    once(
      [operator, inputs.map((input) => input ?? ""), options],
      () => operators.nodes(operator, inputs, options),
    );
  return {
    constant: (tensor) =>
      once(["float", tensor.shape, [...tensor.data]], () => [operators.constant(tensor)])[0]!,
    scalar: (value) => once(["scalar", value], () => [operators.scalar(value)])[0]!,
    integers: (values) => once(["integers", values], () => [operators.integers(values)])[0]!,
    node: (operator, inputs, attributes = {}) =>
      nodes(operator, inputs, { outputs: 1, attributes })[0]!,
    nodes,
  };
}
