import type { Tensor } from "../tensor/mod.ts";
import { type GraphParts, operatorsInto, valueInfo } from "./_operators.ts";
import { encode } from "./_protobuf.ts";
import { type ModelProto, modelSchema, type ValueInfoProto } from "./_schema.ts";

/** The version of the ONNX operators that graphs are written in. */
const OPERATOR_SET = 20;

/** A value inside a graph: the output of a node, an input or a constant. */
export type Value = string & { readonly graph: unique symbol };

/** Attributes of a node. Whole numbers become ints: write a float that is whole as `float(1)`. */
export type Attributes = Readonly<
  Record<string, number | string | readonly number[] | { readonly float: number }>
>;

/** What writes nodes and constants into a graph. */
export interface Operators {
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
}

/** An ONNX graph under construction, from its inputs to its outputs. */
export interface GraphBuilder extends Operators {
  /** A float32 input. Extents that vary are names: `["batch", 3, 224, 224]`. */
  input(name: string, shape: readonly (number | string)[]): Value;
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
 * import { tensor } from "../tensor/mod.ts";
 * import { createGraph, openSession } from "./mod.ts";
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
  const parts: GraphParts = { nodes: [], constants: [] };
  const inputs: ValueInfoProto[] = [];
  const outputs: ValueInfoProto[] = [];
  let count = 0;
  return {
    ...operatorsInto(parts, (prefix) => `${prefix}_${count++}`),
    input(inputName, shape) {
      inputs.push(valueInfo(inputName, shape));
      return inputName as Value;
    },
    output(value, outputName, shape) {
      parts.nodes.push({
        input: [value],
        output: [outputName],
        op_type: "Identity",
        attribute: [],
      });
      outputs.push(valueInfo(outputName, shape));
    },
    build: () => {
      const model: ModelProto = {
        ir_version: 9,
        producer_name: "lg-cav",
        opset_import: [{ domain: "", version: OPERATOR_SET }],
        graph: {
          node: parts.nodes,
          name,
          initializer: parts.constants,
          input: inputs,
          output: outputs,
        },
      };
      return encode(model, modelSchema);
    },
  };
}
