import { UserError } from "../files/mod.ts";
import { attributesOf } from "./_attributes.ts";
import { checkValues, declaredInfo, declaredShape, originOf } from "./_dependence.ts";
import { type GraphParts, operatorsInto, valueInfo } from "./_operators.ts";
import { isStandard, type Program, readNames, readProgram, writeProgram } from "./_program.ts";
import type { NodeProto } from "./_schema.ts";
import type { Operators, Value } from "./graph.ts";

/**
 * The part of an ONNX model from an inner value to an output or another inner value, as a model
 * whose one input is the value `from`: stored features run through it without the network's head.
 * A tail may read the shapes of values before `from`, as PyTorch's exporter has it for the number of
 * images: those that the file states are put in, the batch, axis 0, being that of `from`.
 *
 * @throws {RangeError} when the bytes are no ONNX model.
 * @throws {UserError} when a name is not in the graph, or `to` depends on an input by a path around
 * `from`.
 */
export function tailOf(
  model: Uint8Array,
  { from, to }: { readonly from: string; readonly to: string },
): Uint8Array {
  const program = readProgram(model);
  const action = `Taking the part of the model from ${from} to ${to}`;
  checkValues(program, [from, to], { action });
  const start = originOf(program, from);
  const parts: GraphParts = { nodes: [], constants: [...program.constants.values()] };
  if (start !== from) {
    parts.nodes.push({ input: [from], output: [start], op_type: "Identity", attribute: [] });
  }
  const operators = operatorsInto(parts, program.fresh);
  const inTail = allDependents(program.nodes, [start]);
  for (const node of program.nodes) {
    if (node.output.includes(start) || node.output.includes(from)) continue;
    const shape = isStandard(node) && node.op_type === "Shape" && !inTail.has(node.input[0]!)
      ? statedShape(program, node, { from, operators })
      : undefined;
    parts.nodes.push(
      shape === undefined ? node : { ...node, op_type: "Identity", input: [shape], attribute: [] },
    );
  }
  checkInputs(parts.nodes, { program, from, to, action });
  const input = { ...(declaredInfo(program, from) ?? valueInfo(from)), name: from };
  const output = { ...(declaredInfo(program, to) ?? valueInfo(to)), name: to };
  return writeProgram(program, { ...parts, inputs: [input], outputs: [output] });
}

/** The values that change with one of `roots`, those that only its shape changes too. */
function allDependents(nodes: readonly NodeProto[], roots: readonly string[]): ReadonlySet<string> {
  const found = new Set(roots);
  for (const node of nodes) {
    if (readNames(node).some((name) => found.has(name))) {
      node.output.forEach((name) => found.add(name));
    }
  }
  return found;
}

/** What a Shape node yields, by what the file states; undefined when it leaves an extent open. */
function statedShape(
  program: Program,
  node: NodeProto,
  { from, operators }: { readonly from: string; readonly operators: Operators },
): Value | undefined {
  const extents = declaredShape(program, node.input[0]!);
  if (extents === undefined) return undefined;
  const { start = 0, end = extents.length } = attributesOf(node) as Record<string, number>;
  const batch = declaredShape(program, from)?.[0] ?? extents[0];
  const values = extents.map((extent, axis) => {
    if (typeof extent === "number") return operators.integers([extent]);
    if (axis > 0 || extent !== batch) return undefined;
    return operators.node("Shape", [from as Value], { start: 0, end: 1 });
  }).slice(start, end);
  if (values.length === 0 || values.includes(undefined)) return undefined;
  return operators.node("Concat", values, { axis: 0 });
}

function checkInputs(
  nodes: readonly NodeProto[],
  { program, from, to, action }: {
    readonly program: Program;
    readonly from: string;
    readonly to: string;
    readonly action: string;
  },
): void {
  const needed = new Set([to]);
  for (const node of nodes.toReversed()) {
    if (node.output.some((name) => needed.has(name))) {
      readNames(node).forEach((name) => needed.add(name));
    }
  }
  if (!needed.has(from)) {
    throw new UserError(`${action}: ${to} does not depend on ${from}; choose a value before it.`);
  }
  const around = program.inputs.map(({ name }) => name)
    .filter((name) => name !== from && needed.has(name));
  if (around.length > 0) {
    throw new UserError(
      `${action}: ${to} depends on ${around.join(", ")} by a path around ${from}; choose a value ` +
        `that all paths go through.`,
    );
  }
}
