import { isAbsolute, join, normalize } from "node:path";
import { type Tensor, tensor } from "../tensor/mod.ts";
import { decode, encode } from "./_protobuf.ts";
import {
  type AttributeProto,
  DataType,
  type ModelProto,
  modelSchema,
  type TensorProto,
  type ValueInfoProto,
} from "./_schema.ts";

/** An ONNX file that another program wrote: its graph, without the large constants' data. */
export interface OnnxFile {
  /** What the caller has to feed; `shape` has a name or nothing where an extent varies. */
  readonly inputs: readonly OnnxInput[];
  readonly outputs: readonly string[];
  /** The node that computes a value, by the value's name. */
  readonly producers: ReadonlyMap<string, OnnxNode>;
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
  readonly shape: readonly (number | undefined)[];
}

/** An operation of a graph. */
export interface OnnxNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  /** Whole-number and float attributes by name, and lists of whole numbers. */
  readonly attributes: Readonly<Record<string, number | readonly number[] | undefined>>;
}

/**
 * Reads an ONNX file.
 *
 * @throws {RangeError} when the bytes are no ONNX model.
 */
export function readOnnx(bytes: Uint8Array): OnnxFile {
  const { graph } = decode(bytes, modelSchema) as unknown as Partial<ModelProto>;
  if (graph === undefined) throw new RangeError("The file holds no ONNX graph.");
  const constants = new Map(graph.initializer.map((proto) => [proto.name ?? "", proto]));
  const producers = new Map<string, OnnxNode>();
  for (const { op_type, input, output, attribute } of graph.node) {
    const value = attribute.find(({ name }) => name === "value")?.t;
    if (op_type === "Constant" && value !== undefined) constants.set(output[0]!, value);
    const attributes = Object.fromEntries(attribute.map(attributeEntry));
    for (const name of output) {
      producers.set(name, { operator: op_type, inputs: input, attributes });
    }
  }
  return {
    // Old files list their constants among the inputs.
    inputs: graph.input.filter(({ name }) => !constants.has(name)).map(onnxInput),
    outputs: graph.output.map(({ name }) => name),
    producers,
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
 */
export function withOutputs(bytes: Uint8Array, names: readonly string[]): Uint8Array {
  const output = names.map((name) => ({
    name,
    type: { tensor_type: { elem_type: DataType.float } },
  }));
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
    shape: type?.tensor_type?.shape?.dim.map(({ dim_value }) => dim_value) ?? [],
  };
}

function attributeEntry(
  { name, i, f, ints }: AttributeProto,
): [string, number | readonly number[] | undefined] {
  return [name, i ?? f ?? (ints?.length ? ints : undefined)];
}

async function rawBytes(proto: TensorProto, folder: string): Promise<Uint8Array | undefined> {
  if (!proto.external_data?.length) return proto.raw_data;
  const entries = Object.fromEntries(proto.external_data.map(({ key, value }) => [key, value]));
  const location = normalize(entries["location"] ?? "");
  if (isAbsolute(location) || location.startsWith("..")) {
    throw new RangeError(`Constant ${proto.name} lies outside the model's folder, in ${location}.`);
  }
  const file = await Deno.open(join(folder, location));
  try {
    await file.seek(Number(entries["offset"] ?? 0), Deno.SeekMode.Start);
    const bytes = new Uint8Array(Number(entries["length"] ?? (await file.stat()).size));
    for (let filled = 0; filled < bytes.length;) {
      const read = await file.read(bytes.subarray(filled));
      if (read === null) throw new RangeError(`${location} ends before constant ${proto.name}.`);
      filled += read;
    }
    return bytes;
  } finally {
    file.close();
  }
}

function floats(proto: TensorProto, raw: Uint8Array | undefined): Float32Array {
  if (proto.data_type !== DataType.float) {
    throw new RangeError(
      `Constant ${proto.name} holds no 32-bit floats but ONNX data type ${proto.data_type}.`,
    );
  }
  // A copy, since a Float32Array starts at a multiple of four bytes.
  return raw === undefined
    ? Float32Array.from(proto.float_data ?? [])
    : new Float32Array(raw.slice().buffer);
}
