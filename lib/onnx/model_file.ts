import { isAbsolute, join, normalize } from "node:path";
import { fileSource, quote } from "../files/mod.ts";
import { type Tensor, tensor } from "../tensor/mod.ts";
import { attributesOf, type AttributeValue } from "./_attributes.ts";
import { constantOf, isStandard } from "./_program.ts";
import { decode, encode } from "./_protobuf.ts";
import {
  DataType,
  type ModelProto,
  modelSchema,
  type TensorProto,
  type ValueInfoProto,
} from "./_schema.ts";

export type { AttributeValue };

/** An ONNX file that another program wrote: its graph, without the large constants' data. */
export interface OnnxFile {
  /** What the caller has to feed; `shape` has a name or nothing where an extent varies. */
  readonly inputs: readonly OnnxInput[];
  readonly outputs: readonly string[];
  /** The version of the standard operators that the file is written in. */
  readonly opset: number;
  /** The node that computes a value, by the value's name. */
  readonly producers: ReadonlyMap<string, OnnxNode>;
  /**
   * The files beside it that hold constants, relative to its folder, sorted.
   *
   * @throws {RangeError} when one lies outside the folder.
   */
  externalFiles(): readonly string[];
  /** Whether a value is stored in the file or beside it. */
  isConstant(name: string): boolean;
  /**
   * Reads a float constant; `folder` is where the file lies, for data in a file beside it.
   *
   * @throws {RangeError} when it holds no floats, or its data is cut off or outside the folder.
   */
  constant(name: string, folder: string): Promise<Tensor>;
}

/** An input of a graph. */
export interface OnnxInput {
  readonly name: string;
  readonly isFloat32: boolean;
  /** The type of its numbers: a name of {@linkcode DataType}, or the number of another one. */
  readonly type: string;
  readonly shape: readonly (number | undefined)[];
}

/** An operation of a graph. */
export interface OnnxNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  /** By name; those that hold tensors or graphs are undefined. */
  readonly attributes: Readonly<Record<string, AttributeValue | undefined>>;
}

/**
 * Reads an ONNX file.
 *
 * @throws {RangeError} when the bytes are no ONNX model.
 */
export function readOnnx(bytes: Uint8Array): OnnxFile {
  const { graph, opset_import = [] } = decode(bytes, modelSchema) as unknown as Partial<ModelProto>;
  if (graph === undefined) throw new RangeError("The file holds no ONNX graph.");
  const constants = new Map(graph.initializer.map((proto) => [proto.name ?? "", proto]));
  const producers = new Map<string, OnnxNode>();
  for (const node of graph.node) {
    const constant = constantOf(node);
    if (constant !== undefined) constants.set(node.output[0]!, constant);
    const { op_type: operator, input: inputs } = node;
    const attributes = attributesOf(node);
    for (const name of node.output) producers.set(name, { operator, inputs, attributes });
  }
  return {
    // Old files list their constants among the inputs.
    inputs: graph.input.filter(({ name }) => !constants.has(name)).map(onnxInput),
    outputs: graph.output.map(({ name }) => name),
    opset: opset_import.find(isStandard)?.version ?? 1,
    producers,
    externalFiles: () => [...new Set([...constants.values()].flatMap(externalFile))].sort(),
    isConstant: (name) => constants.has(name),
    async constant(name, folder) {
      const proto = constants.get(name);
      if (proto === undefined) throw new RangeError(`The ONNX file has no constant ${name}.`);
      return tensor(proto.dims, floats(proto, await rawBytes(proto, folder)));
    },
  };
}

/**
 * The same model with more of its values as outputs. A protobuf message that occurs again is merged
 * with the first one, so a second graph that holds the outputs alone is written behind the file.
 * Their type is left to the runtime to find, since a value inside may be of half precision.
 */
export function withOutputs(bytes: Uint8Array, names: readonly string[]): Uint8Array {
  const output = names.map((name) => ({ name }));
  const addition = encode({ graph: { output } }, modelSchema);
  const extended = new Uint8Array(bytes.length + addition.length);
  extended.set(bytes);
  extended.set(addition, bytes.length);
  return extended;
}

function onnxInput({ name, type }: ValueInfoProto): OnnxInput {
  return {
    name,
    isFloat32: type?.tensor_type?.elem_type === DataType.float,
    type: typeName(type?.tensor_type?.elem_type),
    shape: type?.tensor_type?.shape?.dim.map(({ dim_value }) => dim_value) ?? [],
  };
}

function typeName(type: number | undefined): string {
  const found = Object.entries(DataType).find(([, number]) => number === type);
  return found?.[0] ?? `ONNX data type ${type ?? "unknown"}`;
}

/** Where a constant's data are, if not in the file. */
function externalFile({ name, external_data }: TensorProto): string[] {
  const location = external_data?.find(({ key }) => key === "location")?.value;
  return location === undefined ? [] : [insideFolder(location, name)];
}

function insideFolder(location: string, name: string | undefined): string {
  const path = normalize(location);
  if (!isAbsolute(path) && !path.startsWith("..")) return path;
  throw new RangeError(
    `Constant ${quote(name)} lies outside the model's folder, in ${quote(path)}.`,
  );
}

async function rawBytes(proto: TensorProto, folder: string): Promise<Uint8Array | undefined> {
  if (!proto.external_data?.length) return proto.raw_data;
  const entries = Object.fromEntries(proto.external_data.map(({ key, value }) => [key, value]));
  const location = insideFolder(entries["location"] ?? "", proto.name);
  const path = join(folder, location);
  const isFile = await Deno.stat(path).then((found) => found.isFile, () => false);
  if (!isFile) {
    throw new RangeError(
      `Constant ${quote(proto.name)} lies in ${quote(location)}, which is no file.`,
    );
  }
  using file = await Deno.open(path);
  const source = await fileSource(file);
  const offset = Number(entries["offset"] ?? 0);
  const length = Number(entries["length"] ?? source.size - offset);
  return await source.read(offset, length).catch((cause) => {
    throw new RangeError(`${quote(location)} ends before constant ${quote(proto.name)}.`, {
      cause,
    });
  });
}

function floats(proto: TensorProto, raw: Uint8Array | undefined): Float32Array {
  if (proto.data_type === DataType.float16) return halves(proto, raw);
  if (proto.data_type !== DataType.float) {
    throw new RangeError(
      `Constant ${
        quote(proto.name)
      } holds no 32-bit or 16-bit floats but ONNX data type ${proto.data_type}.`,
    );
  }
  // A copy, since a Float32Array starts at a multiple of four bytes.
  return raw === undefined
    ? Float32Array.from(proto.float_data ?? [])
    : new Float32Array(new Uint8Array(raw).buffer);
}

/** Half-precision numbers; without raw data each is the low half of an int32. */
function halves(proto: TensorProto, raw: Uint8Array | undefined): Float32Array {
  const bits = raw === undefined
    ? Uint16Array.from(proto.int32_data ?? [])
    : new Uint16Array(new Uint8Array(raw).buffer);
  return Float32Array.from(new Float16Array(bits.buffer));
}
