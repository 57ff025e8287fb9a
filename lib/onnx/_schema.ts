import type { Schema } from "./_protobuf.ts";

/**
 * The parts of the ONNX format in use here, with the field numbers of onnx.proto:
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */

/** TensorProto.DataType. */
export const DataType = {
  float: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  float16: 10,
  double: 11,
  bfloat16: 16,
} as const;

/** AttributeProto.AttributeType. */
export const AttributeType = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

export interface TensorProto {
  readonly dims: readonly number[];
  readonly data_type: number;
  readonly float_data?: readonly number[];
  readonly int32_data?: readonly number[];
  readonly string_data?: readonly Uint8Array[];
  readonly int64_data?: readonly number[];
  readonly name?: string;
  readonly raw_data?: Uint8Array;
  readonly double_data?: readonly Uint8Array[];
  readonly uint64_data?: readonly number[];
  readonly external_data?: readonly { readonly key: string; readonly value: string }[];
  readonly data_location?: number;
}

export interface AttributeProto {
  readonly name: string;
  readonly type: number;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly t?: TensorProto;
  readonly g?: GraphProto;
  readonly floats?: readonly number[];
  readonly ints?: readonly number[];
  readonly strings?: readonly Uint8Array[];
}

export interface NodeProto {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name?: string;
  readonly op_type: string;
  readonly attribute: readonly AttributeProto[];
  readonly domain?: string;
  readonly overload?: string;
}

export interface ValueInfoProto {
  readonly name: string;
  readonly type?: {
    readonly tensor_type?: {
      readonly elem_type: number;
      readonly shape?: {
        readonly dim: readonly { readonly dim_value?: number; readonly dim_param?: string }[];
      };
    };
  };
}

export interface GraphProto {
  readonly node: readonly NodeProto[];
  readonly name?: string;
  readonly initializer: readonly TensorProto[];
  readonly input: readonly ValueInfoProto[];
  readonly output: readonly ValueInfoProto[];
  readonly value_info?: readonly ValueInfoProto[];
}

export interface ModelProto {
  readonly ir_version: number;
  readonly producer_name?: string;
  readonly graph: GraphProto;
  readonly opset_import: readonly OperatorSet[];
  /** Functions that nodes of other domains call, as they stand in the file. */
  readonly functions?: readonly Uint8Array[];
}

/** The version of the operators of a domain; the standard domain has no name. */
export interface OperatorSet {
  readonly domain?: string;
  readonly version: number;
}

/** Messages that nothing here looks into; they are written as they were read. */
function passedOn(
  numbers: Readonly<Record<string, number>>,
  { repeated }: { readonly repeated: boolean },
): Schema {
  return Object.fromEntries(
    Object.entries(numbers).map(([name, number]) => [name, { number, type: "bytes", repeated }]),
  );
}

const entrySchema: Schema = {
  key: { number: 1, type: "string" },
  value: { number: 2, type: "string" },
};

const tensorSchema: Schema = {
  dims: { number: 1, type: "int64", repeated: true },
  data_type: { number: 2, type: "int64" },
  float_data: { number: 4, type: "float", repeated: true },
  int32_data: { number: 5, type: "int64", repeated: true },
  string_data: { number: 6, type: "bytes", repeated: true },
  int64_data: { number: 7, type: "int64", repeated: true },
  name: { number: 8, type: "string" },
  raw_data: { number: 9, type: "bytes" },
  // Packed doubles, which are passed on as they are.
  double_data: { number: 10, type: "bytes", repeated: true },
  uint64_data: { number: 11, type: "int64", repeated: true },
  external_data: { number: 13, type: entrySchema, repeated: true },
  data_location: { number: 14, type: "int64" },
};

const attributeSchema: Schema = {
  name: { number: 1, type: "string" },
  type: { number: 20, type: "int64" },
  f: { number: 2, type: "float" },
  i: { number: 3, type: "int64" },
  s: { number: 4, type: "bytes" },
  t: { number: 5, type: tensorSchema },
  g: {
    number: 6,
    // Read late, since a graph holds nodes that hold attributes.
    get type() {
      return graphSchema;
    },
  },
  floats: { number: 7, type: "float", repeated: true },
  ints: { number: 8, type: "int64", repeated: true },
  strings: { number: 9, type: "bytes", repeated: true },
  ...passedOn({ tensors: 10, graphs: 11, sparse_tensors: 23 }, { repeated: true }),
  ...passedOn({ tp: 14, sparse_tensor: 22 }, { repeated: false }),
};

const nodeSchema: Schema = {
  input: { number: 1, type: "string", repeated: true },
  output: { number: 2, type: "string", repeated: true },
  name: { number: 3, type: "string" },
  op_type: { number: 4, type: "string" },
  attribute: { number: 5, type: attributeSchema, repeated: true },
  domain: { number: 7, type: "string" },
  overload: { number: 8, type: "string" },
};

const dimensionSchema: Schema = {
  dim_value: { number: 1, type: "int64" },
  dim_param: { number: 2, type: "string" },
};

const shapeSchema: Schema = { dim: { number: 1, type: dimensionSchema, repeated: true } };

const valueInfoSchema: Schema = {
  name: { number: 1, type: "string" },
  type: {
    number: 2,
    type: {
      tensor_type: {
        number: 1,
        type: {
          elem_type: { number: 1, type: "int64" },
          shape: { number: 2, type: shapeSchema },
        },
      },
    },
  },
};

const graphSchema: Schema = {
  node: { number: 1, type: nodeSchema, repeated: true },
  name: { number: 2, type: "string" },
  initializer: { number: 5, type: tensorSchema, repeated: true },
  input: { number: 11, type: valueInfoSchema, repeated: true },
  output: { number: 12, type: valueInfoSchema, repeated: true },
  value_info: { number: 13, type: valueInfoSchema, repeated: true },
};

const operatorSetSchema: Schema = {
  domain: { number: 1, type: "string" },
  version: { number: 2, type: "int64" },
};

/** The whole file. */
export const modelSchema: Schema = {
  ir_version: { number: 1, type: "int64" },
  producer_name: { number: 2, type: "string" },
  graph: { number: 7, type: graphSchema },
  opset_import: { number: 8, type: operatorSetSchema, repeated: true },
  functions: { number: 25, type: "bytes", repeated: true },
};
