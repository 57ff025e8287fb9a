import { decode, encode } from "./_protobuf.ts";
import {
  DataType,
  type GraphProto,
  type ModelProto,
  modelSchema,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "./_schema.ts";
import { CURRENT_VERSION, upgradeNodes } from "./_upgrade.ts";

/** A model taken apart: nodes of one version of the operators, constants apart from them. */
export interface Program {
  readonly model: ModelProto;
  /** In an order in which they can be computed. */
  readonly nodes: readonly NodeProto[];
  readonly constants: ReadonlyMap<string, TensorProto>;
  /** The node that computes a value, by the value's name. */
  readonly producers: ReadonlyMap<string, NodeProto>;
  /** What has to be fed. */
  readonly inputs: readonly ValueInfoProto[];
  /** What the file says of the shapes of values, by name. */
  readonly declared: ReadonlyMap<string, ValueInfoProto>;
  /** A name that no value has yet, after a prefix. */
  readonly fresh: (prefix: string) => string;
}

/**
 * Takes an ONNX model apart.
 *
 * @throws {RangeError} when the bytes are no ONNX model.
 * @throws {UserError} when its operators are of a version that is too old.
 */
export function readProgram(bytes: Uint8Array): Program {
  const model = decode(bytes, modelSchema) as unknown as ModelProto;
  const { graph } = model;
  if (graph === undefined) throw new RangeError("The file holds no ONNX graph.");
  const fresh = freshNames(graph);
  const initializers = [...graph.initializer];
  const version = model.opset_import.find(isStandard)?.version ?? 1;
  const nodes: NodeProto[] = [];
  for (const node of upgradeNodes(graph.node, { version, constants: initializers, fresh })) {
    const constant = constantOf(node);
    if (constant === undefined) nodes.push(node);
    else initializers.push(constant);
  }
  const constants = new Map(initializers.map((proto) => [proto.name ?? "", proto]));
  const { input, output, value_info = [] } = graph;
  return {
    model,
    nodes,
    constants,
    producers: new Map(nodes.flatMap((node) => node.output.map((name) => [name, node]))),
    // Old files list their constants among the inputs.
    inputs: input.filter(({ name }) => !constants.has(name)),
    declared: new Map([...value_info, ...input, ...output].map((info) => [info.name, info])),
    fresh,
  };
}

/** The model of some of a program's nodes: those, with their constants, that the outputs need. */
export function writeProgram(
  { model, declared }: Program,
  { nodes, constants, inputs, outputs }: {
    readonly nodes: readonly NodeProto[];
    readonly constants: Iterable<TensorProto>;
    readonly inputs: readonly ValueInfoProto[];
    readonly outputs: readonly ValueInfoProto[];
  },
): Uint8Array {
  const fed = new Set(inputs.map(({ name }) => name));
  const needed = new Set(outputs.map(({ name }) => name));
  const kept = nodes.toReversed().filter((node) => {
    if (!node.output.some((name) => needed.has(name) && !fed.has(name))) return false;
    readNames(node).forEach((name) => needed.add(name));
    return true;
  }).toReversed();
  const inner = kept.flatMap(({ output }) => output);
  const ends = new Set([...fed, ...outputs.map(({ name }) => name)]);
  const { version = 1 } = model.opset_import.find(isStandard) ?? {};
  return encode({
    ir_version: Math.max(model.ir_version ?? 0, 10),
    producer_name: "lg-cav",
    opset_import: [
      { domain: "", version: Math.max(version, CURRENT_VERSION) },
      ...model.opset_import.filter((set) => !isStandard(set)),
    ],
    functions: model.functions ?? [],
    graph: {
      name: model.graph.name ?? "graph",
      node: kept,
      initializer: [...constants].filter(({ name }) => needed.has(name ?? "")),
      input: inputs.filter(({ name }) => needed.has(name)),
      output: outputs,
      value_info: inner.flatMap((name) => ends.has(name) ? [] : declared.get(name) ?? []),
    },
  }, modelSchema);
}

/** Whether an operator, or a set of them, is one of ONNX's own. */
export function isStandard({ domain = "" }: { readonly domain?: string }): boolean {
  return domain === "" || domain === "ai.onnx";
}

/** The names that a node reads, in the graphs inside it too. */
export function readNames({ input, attribute }: NodeProto): string[] {
  const inner = attribute.flatMap(({ g }) =>
    g === undefined ? [] : [...g.node.flatMap(readNames), ...g.output.map(({ name }) => name)]
  );
  return [...input, ...inner].filter((name) => name !== "");
}

/** The whole numbers of a constant, or undefined when it holds others or lies in another file. */
export function wholeNumbers(proto: TensorProto | undefined): readonly number[] | undefined {
  if (proto === undefined || proto.external_data?.length) return undefined;
  const { data_type, raw_data, int64_data = [], int32_data = [] } = proto;
  if (data_type !== DataType.int64 && data_type !== DataType.int32) return undefined;
  const wide = data_type === DataType.int64;
  if (raw_data === undefined) return wide ? int64_data : int32_data;
  const { buffer } = new Uint8Array(raw_data);
  return wide ? Array.from(new BigInt64Array(buffer), Number) : [...new Int32Array(buffer)];
}

/** What a Constant node holds; strings and sparse tensors stay nodes. */
export function constantOf(
  { op_type, output, attribute: [value] }: NodeProto,
): TensorProto | undefined {
  if (op_type !== "Constant" || value === undefined) return undefined;
  const { t, f = 0, i = 0, floats = [], ints = [] } = value;
  const name = output[0]!;
  switch (value.name) {
    case "value":
      return { ...t!, name };
    case "value_float":
      return { name, dims: [], data_type: DataType.float, float_data: [f] };
    case "value_floats":
      return { name, dims: [floats.length], data_type: DataType.float, float_data: floats };
    case "value_int":
      return { name, dims: [], data_type: DataType.int64, int64_data: [i] };
    case "value_ints":
      return { name, dims: [ints.length], data_type: DataType.int64, int64_data: ints };
  }
}

function freshNames(graph: GraphProto): (prefix: string) => string {
  const used = new Set<string>();
  const add = ({ node, input, initializer }: GraphProto) => {
    for (const { name } of [...input, ...initializer]) used.add(name ?? "");
    for (const { output, attribute } of node) {
      output.forEach((name) => used.add(name));
      attribute.forEach(({ g }) => g !== undefined && add(g));
    }
  };
  add(graph);
  let count = 0;
  return (prefix) => {
    let name = `${prefix}_${count++}`;
    while (used.has(name)) name = `${prefix}_${count++}`;
    return name;
  };
}
