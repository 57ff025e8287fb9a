import { UserError } from "../files/mod.ts";
import { attributesOf } from "./_attributes.ts";
import type { Operators, Value } from "./graph.ts";
import { type GraphParts, operatorsInto } from "./_operators.ts";
import { AttributeType, type NodeProto, type TensorProto } from "./_schema.ts";

/** The version of the standard operators that {@linkcode upgradeNodes} writes nodes in. */
export const CURRENT_VERSION = 21;

const OLDEST_VERSION = 7;

/** Attributes that a later version of an operator takes as inputs, in their order from the second. */
const movedAttributes: Readonly<
  Record<string, { readonly version: number; readonly names: readonly string[] }>
> = {
  Slice: { version: 10, names: ["starts", "ends", "axes"] },
  Pad: { version: 11, names: ["pads", "value"] },
  Clip: { version: 11, names: ["min", "max"] },
  Squeeze: { version: 13, names: ["axes"] },
  Unsqueeze: { version: 13, names: ["axes"] },
  Split: { version: 13, names: ["split"] },
  ReduceSum: { version: 13, names: ["axes"] },
  ...Object.fromEntries(
    ["L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare"]
      .map((kind) => [`Reduce${kind}`, { version: 18, names: ["axes"] }]),
  ),
};

/** Attributes that a later version of an operator has no longer; at inference they do nothing. */
const droppedAttributes: Readonly<
  Record<string, { readonly version: number; readonly names: readonly string[] }>
> = {
  Dropout: { version: 12, names: ["ratio"] },
  BatchNormalization: { version: 14, names: ["spatial"] },
};

/**
 * The same nodes as operators of version 21 are written, of any version from 7 on
 * (https://github.com/onnx/onnx/blob/main/docs/Changelog.md), in the graphs inside nodes too.
 *
 * @throws {UserError} when the version is older or an operator's former meaning cannot be written.
 */
export function upgradeNodes(
  nodes: readonly NodeProto[],
  context: {
    readonly version: number;
    /** Where the constants go that had been attributes. */
    readonly constants: TensorProto[];
    readonly fresh: (prefix: string) => string;
  },
): readonly NodeProto[] {
  const { version, constants, fresh } = context;
  if (version >= CURRENT_VERSION) return nodes;
  if (version < OLDEST_VERSION) {
    throw new UserError(
      `The ONNX model has operators of version ${version}; they can be differentiated from ` +
        `version ${OLDEST_VERSION} on: export it again with a later opset.`,
    );
  }
  const parts: GraphParts = { nodes: [], constants };
  const operators = operatorsInto(parts, fresh);
  for (const node of nodes) {
    const attribute = node.attribute.map((one) =>
      one.g === undefined
        ? one
        : { ...one, g: { ...one.g, node: upgradeNodes(one.g.node, context) } }
    );
    parts.nodes.push(upgradeNode({ ...node, attribute }, { version, operators }));
  }
  return parts.nodes;
}

function upgradeNode(
  node: NodeProto,
  { version, operators }: { readonly version: number; readonly operators: Operators },
): NodeProto {
  const { op_type, input, output } = node;
  if (op_type === "GroupNormalization") {
    throw new UserError(
      `Node ${node.name} is a GroupNormalization of version ${version}, which ONNX has withdrawn: ` +
        `export the model with opset 21 or later.`,
    );
  }
  if (version < 13 && (op_type === "Softmax" || op_type === "LogSoftmax")) {
    return upgradeSoftmax(node, operators);
  }
  const upgraded = moveAttributes(node, { version, operators });
  if (op_type === "Split" && version < 18 && !upgraded.input[1]) {
    const count = { name: "num_outputs", type: AttributeType.int, i: output.length };
    return { ...upgraded, input: [input[0]!], attribute: [...upgraded.attribute, count] };
  }
  // Before version 14 the outputs of training were named at inference too.
  return op_type === "BatchNormalization" && version < 14
    ? { ...upgraded, output: output.slice(0, 1) }
    : upgraded;
}

function moveAttributes(
  node: NodeProto,
  { version, operators }: { readonly version: number; readonly operators: Operators },
): NodeProto {
  const moved = movedAttributes[node.op_type];
  const dropped = droppedAttributes[node.op_type];
  const toMove = moved !== undefined && version < moved.version ? moved.names : [];
  const toDrop = dropped !== undefined && version < dropped.version ? dropped.names : [];
  if (toMove.length + toDrop.length === 0) return node;
  const values = attributesOf(node);
  const operands = toMove.map((name) => {
    const value = values[name];
    if (value === undefined) return "";
    return typeof value === "number"
      ? operators.scalar(value)
      : operators.integers(value as readonly number[]);
  });
  while (operands.at(-1) === "") operands.pop();
  return {
    ...node,
    input: [...node.input, ...operands],
    attribute: node.attribute.filter(({ name }) => ![...toMove, ...toDrop].includes(name)),
  };
}

/** Before version 13 all axes from `axis` on, by default from the second, were one. */
function upgradeSoftmax(node: NodeProto, operators: Operators): NodeProto {
  const { axis = 1 } = attributesOf(node) as { axis?: number };
  const x = node.input[0] as Value;
  const rows = operators.node("Flatten", [x], { axis });
  const normalised = operators.node(node.op_type, [rows], { axis: -1 });
  return {
    ...node,
    op_type: "Reshape",
    input: [normalised, operators.node("Shape", [x])],
    attribute: [],
  };
}
