import type { Tensor } from "../tensor/mod.ts";
import { encode } from "./_protobuf.ts";
import {
  type AttributeProto,
  AttributeType,
  DataType,
  type ModelProto,
  modelSchema,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "./_schema.ts";

/** The version of the ONNX operators that graphs are written in. */
const OPERATOR_SET = 20;

/** A value inside a graph: the output of a node, an input or a constant. */
export type Value = string & { readonly graph: unique symbol };

/** Attributes of a node. Whole numbers become ints: write a float that is whole as `float(1)`. */
export type Attributes = Readonly<
  Record<string, number | string | readonly number[] | { readonly float: number }>
>;

/** An ONNX graph under construction, from its inputs to its outputs. */
export interface GraphBuilder {
  /** A float32 input. Extents that vary are names: `["batch", 3, 224, 224]`. */
  input(name: string, shape: readonly (number | string)[]): Value;
  /** A float32 constant; its data is read when the graph is built. */
  constant(tensor: Tensor): Value;
  /** A float32 constant without axes. */
  scalar(value: number): Value;
  /** An int64 vector, as Reshape, Slice and ReduceSum take it. */
  integers(values: readonly number[]): Value;
  /** The one output of a node. An input that is left out is `undefined`. */
  node(operator: string, inputs: readonly (Value | undefined)[], attributes?: Attributes): Value;
  /** The outputs of a node that has several, such as Split. */
  nodes(
    operator: string,
    inputs: readonly (Value | undefined)[],
    options: { readonly outputs: number; readonly attributes?: Attributes },
  ): Value[];
  /**
   * Makes a value an output of the graph. onnxruntime does without the shape; a file for others,
   * to be called valid ONNX, needs it.
   */
  output(value: Value, name: string, shape?: readonly (number | string)[]): void;
  /** The bytes of the model: an ONNX file. */
  build(): Uint8Array;
}

/** An attribute of type float, for whole numbers too: `{ epsilon: float(1) }`. */
export function float(value: number): { readonly float: number } {
  return { float: value };
}

/**
 * An empty ONNX graph of the standard operators, version 20.
 *
 * @example
 * ```ts
 * import { createGraph, openSession, tensor } from "./mod.ts";
 *
 * const graph = createGraph("double");
 * const x = graph.input("x", ["rows", 2]);
 * graph.output(graph.node("Mul", [x, graph.scalar(2)]), "y");
 * const session = await openSession(graph.build());
 * const { y } = await session.run({ x: tensor([1, 2], Float32Array.of(3, 4)) }, ["y"]);
 * await session.close();
 * console.log(y.data); // Float32Array(2) [ 6, 8 ]
 * ```
 */
export function createGraph(name: string): GraphBuilder {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const inputs: ValueInfoProto[] = [];
  const outputs: ValueInfoProto[] = [];
  let count = 0;
  const fresh = (prefix: string) => `${prefix}_${count++}` as Value;
  const addTensor = (dims: readonly number[], data_type: number, data: ArrayBufferView) => {
    const value = fresh("constant");
    const raw_data = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    initializers.push({ dims, data_type, name: value, raw_data });
    return value;
  };
  const addNode: GraphBuilder["nodes"] = (op_type, operands, options) => {
    const output = Array.from({ length: options.outputs }, () => fresh(op_type));
    nodes.push({
      input: operands.map((operand) => operand ?? ""),
      output,
      op_type,
      attribute: Object.entries(options.attributes ?? {}).map(attributeProto),
    });
    return output;
  };
  return {
    input(inputName, shape) {
      inputs.push(valueInfo(inputName, shape));
      return inputName as Value;
    },
    constant: ({ shape, data }) => addTensor(shape, DataType.float, data),
    scalar: (value) => addTensor([], DataType.float, Float32Array.of(value)),
    integers: (values) =>
      addTensor([values.length], DataType.int64, BigInt64Array.from(values, BigInt)),
    node: (operator, operands, attributes = {}) =>
      addNode(operator, operands, { outputs: 1, attributes })[0]!,
    nodes: addNode,
    output(value, outputName, shape) {
      nodes.push({ input: [value], output: [outputName], op_type: "Identity", attribute: [] });
      outputs.push(valueInfo(outputName, shape));
    },
    build: () => {
      const model: ModelProto = {
        ir_version: 9,
        producer_name: "lg-cav",
        opset_import: [{ domain: "", version: OPERATOR_SET }],
        graph: { node: nodes, name, initializer: initializers, input: inputs, output: outputs },
      };
      return encode(model, modelSchema);
    },
  };
}

function valueInfo(name: string, shape?: readonly (number | string)[]): ValueInfoProto {
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
