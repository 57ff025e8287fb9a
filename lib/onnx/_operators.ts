import { int64 } from "./_protobuf.ts";
import type { Attributes, Operators, Value } from "./graph.ts";
import {
  type AttributeProto,
  AttributeType,
  DataType,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "./_schema.ts";

/** The lists that a graph under construction grows in. */
export interface GraphParts {
  readonly nodes: NodeProto[];
  readonly constants: TensorProto[];
}

/** Writes nodes and constants into a graph; `fresh` names what they compute, after a prefix. */
export function operatorsInto(parts: GraphParts, fresh: (prefix: string) => string): Operators {
  const addTensor = (dims: readonly number[], data_type: number, data: ArrayBufferView) => {
    const value = fresh("constant") as Value;
    const raw_data = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    parts.constants.push({ dims, data_type, name: value, raw_data });
    return value;
  };
  const addNode: Operators["nodes"] = (op_type, operands, options) => {
    const output = Array.from({ length: options.outputs }, () => fresh(op_type) as Value);
    parts.nodes.push({
      input: operands.map((operand) => operand ?? ""),
      output,
      op_type,
      attribute: Object.entries(options.attributes ?? {}).map(attributeProto),
    });
    return output;
  };
  return {
    constant: ({ shape, data }) => addTensor(shape, DataType.float, data),
    scalar: (value) => addTensor([], DataType.float, Float32Array.of(value)),
    integers: (values) =>
      addTensor([values.length], DataType.int64, BigInt64Array.from(values, int64)),
    node: (operator, operands, attributes = {}) =>
      addNode(operator, operands, { outputs: 1, attributes })[0]!,
    nodes: addNode,
  };
}

/** Name and shape of a float32 value. */
export function valueInfo(name: string, shape?: readonly (number | string)[]): ValueInfoProto {
  const dim = shape?.map((extent) =>
    typeof extent === "string" ? { dim_param: extent } : { dim_value: extent }
  );
  return {
    name,
    type: { tensor_type: { elem_type: DataType.float, ...(dim && { shape: { dim } }) } },
  };
}

function attributeProto([name, value]: [string, Attributes[string]]): AttributeProto {
  if (typeof value === "string") {
    return { name, type: AttributeType.string, s: new TextEncoder().encode(value) };
  }
  if (typeof value === "number") {
    return Number.isInteger(value)
      ? { name, type: AttributeType.int, i: value }
      : { name, type: AttributeType.float, f: value };
  }
  return "float" in value
    ? { name, type: AttributeType.float, f: value.float }
    : { name, type: AttributeType.ints, ints: value };
}
