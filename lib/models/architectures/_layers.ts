import { float, type GraphBuilder, type Value } from "../../onnx/mod.ts";
import { type Tensor, tensor } from "../../tensor/mod.ts";

/**
 * One step of a network, which knows its inputs: a network is its outputs. The same description
 * yields the parameters' names and shapes and the ONNX nodes.
 */
export interface Layer {
  readonly inputs: readonly Layer[];
  /** The shape of what it computes, of one image: [channels, height, width] or [tokens, width]. */
  readonly shape: readonly number[];
  /** Shapes of its parameters by their key in the state dict. */
  readonly parameters: Readonly<Record<string, readonly number[]>>;
  /** Writes its nodes into a graph. */
  lower(inputs: readonly Value[], context: LoweringContext): Value;
}

/** Where a layer writes its nodes and finds its parameters. */
export interface LoweringContext {
  readonly graph: GraphBuilder;
  readonly parameter: ParameterLookup;
}

/** The tensor of a state dict's key. */
export type ParameterLookup = (key: string) => Tensor;

/** The epsilon of a batch norm, in PyTorch's default. */
const BATCH_NORM_EPSILON = 1e-5;

/** The image, [3, size, size]. */
export function image(size: number): Layer {
  return {
    inputs: [],
    shape: [3, size, size],
    parameters: {},
    lower: (_inputs, { graph }) => graph.input("pixels", ["batch", 3, size, size]),
  };
}

/** What a convolution is. */
export interface ConvolutionOptions {
  /** Module path of the convolution in the state dict. */
  readonly name: string;
  readonly channels: number;
  readonly kernel: number;
  readonly stride?: number;
  /** Half the kernel, so that stride 1 keeps the size, when left out. */
  readonly padding?: number;
  readonly bias?: boolean;
  /** Module path of the batch norm that follows; it is folded into the convolution. */
  readonly norm?: string;
}

/** A convolution, with the batch norm that follows it, if any. */
export function convolution(x: Layer, options: ConvolutionOptions): Layer {
  const { name, channels, kernel, stride = 1, bias = false, norm } = options;
  const { padding = Math.floor(kernel / 2) } = options;
  const [inputChannels] = x.shape;
  return {
    inputs: [x],
    shape: [channels, ...spatial(x, (extent) => (extent + 2 * padding - kernel) / stride + 1)],
    parameters: {
      [`${name}.weight`]: [channels, inputChannels!, kernel, kernel],
      ...(bias && { [`${name}.bias`]: [channels] }),
      ...(norm !== undefined && batchNormParameters(norm, channels)),
    },
    lower([input], { graph, parameter }) {
      const plain = {
        weight: parameter(`${name}.weight`),
        bias: bias ? parameter(`${name}.bias`) : undefined,
      };
      const folded = norm === undefined
        ? plain
        : foldBatchNorm(plain, batchNormAffine(norm, parameter));
      const operands = [input, graph.constant(folded.weight)];
      if (folded.bias !== undefined) operands.push(graph.constant(folded.bias));
      return graph.node("Conv", operands, {
        kernel_shape: [kernel, kernel],
        strides: [stride, stride],
        pads: [padding, padding, padding, padding],
      });
    },
  };
}

/** A batch norm that no convolution precedes, at inference. */
export function batchNorm(x: Layer, name: string): Layer {
  return {
    inputs: [x],
    shape: x.shape,
    parameters: batchNormParameters(name, x.shape[0]!),
    lower([input], { graph, parameter }) {
      const operands = ["weight", "bias", "running_mean", "running_var"]
        .map((suffix) => graph.constant(parameter(`${name}.${suffix}`)));
      return graph.node("BatchNormalization", [input, ...operands], {
        epsilon: BATCH_NORM_EPSILON,
      });
    },
  };
}

/** max(x, 0). */
export function relu(x: Layer): Layer {
  return pointwise("Relu", [x]);
}

/** The logistic function. */
export function sigmoid(x: Layer): Layer {
  return pointwise("Sigmoid", [x]);
}

/** The exact Gaussian error linear unit. */
export function gelu(x: Layer): Layer {
  return pointwise("Gelu", [x]);
}

/** The sum of two layers of one shape. */
export function add(a: Layer, b: Layer): Layer {
  return pointwise("Add", [a, b]);
}

/** Each channel of `x` [channels, height, width] times its factor [channels, 1, 1]. */
export function scaleChannels(x: Layer, factors: Layer): Layer {
  return pointwise("Mul", [x, factors]);
}

/** Layers one after another along the channels. */
export function concatenate(layers: readonly Layer[]): Layer {
  const channels = layers.reduce((sum, layer) => sum + layer.shape[0]!, 0);
  return {
    inputs: layers,
    shape: [channels, ...layers[0]!.shape.slice(1)],
    parameters: {},
    lower: (inputs, { graph }) => graph.node("Concat", inputs, { axis: 1 }),
  };
}

/** The window of a pooling layer. */
export interface PoolOptions {
  readonly kernel: number;
  readonly stride: number;
  readonly padding?: number;
}

/** The greatest value in each window. */
export function maxPool(x: Layer, options: PoolOptions): Layer {
  return pool("MaxPool", x, options);
}

/** The mean of each window, padding left out of the count. */
export function averagePool(x: Layer, options: PoolOptions): Layer {
  return pool("AveragePool", x, options);
}

/** The mean of each channel: [channels, 1, 1]. */
export function globalAveragePool(x: Layer): Layer {
  return {
    inputs: [x],
    shape: [x.shape[0]!, 1, 1],
    parameters: {},
    lower: (inputs, { graph }) => graph.node("GlobalAveragePool", inputs),
  };
}

/** Everything of one image in a row. */
export function flatten(x: Layer): Layer {
  return {
    inputs: [x],
    shape: [size(x.shape)],
    parameters: {},
    lower: (inputs, { graph }) => graph.node("Flatten", inputs),
  };
}

/** A fully connected layer over the last axis; `name` is its module path. */
export function linear(x: Layer, { name, width }: { name: string; width: number }): Layer {
  const leading = x.shape.slice(0, -1);
  return {
    inputs: [x],
    shape: [...leading, width],
    parameters: {
      [`${name}.weight`]: [width, x.shape.at(-1)!],
      [`${name}.bias`]: [width],
    },
    lower: ([input], { graph, parameter }) =>
      fullyConnected(graph, input!, {
        weight: parameter(`${name}.weight`),
        bias: parameter(`${name}.bias`),
        leading,
      }),
  };
}

/**
 * Writes x Wᵀ + b over the last axis. Gemm takes PyTorch's weight [width, inputs] as it is, but only
 * matrices: tokens, [batch, tokens, inputs], become rows and rows tokens again, which copies nothing.
 */
export function fullyConnected(
  graph: GraphBuilder,
  x: Value,
  { weight, bias, leading, scale = 1 }: {
    readonly weight: Tensor;
    readonly bias: Tensor;
    readonly leading: readonly number[];
    readonly scale?: number;
  },
): Value {
  const [width, inputs] = weight.shape;
  const rows = leading.length === 0 ? x : graph.node("Reshape", [x, graph.integers([-1, inputs!])]);
  const product = graph.node("Gemm", [rows, graph.constant(weight), graph.constant(bias)], {
    transB: 1,
    alpha: float(scale),
    beta: float(scale),
  });
  return leading.length === 0
    ? product
    : graph.node("Reshape", [product, graph.integers([-1, ...leading, width!])]);
}

function pointwise(operator: string, inputs: readonly Layer[]): Layer {
  return {
    inputs,
    shape: inputs[0]!.shape,
    parameters: {},
    lower: (values, { graph }) => graph.node(operator, values),
  };
}

function pool(
  operator: "MaxPool" | "AveragePool",
  x: Layer,
  { kernel, stride, padding = 0 }: PoolOptions,
): Layer {
  return {
    inputs: [x],
    shape: [
      x.shape[0]!,
      ...spatial(x, (extent) => (extent + 2 * padding - kernel) / stride + 1),
    ],
    parameters: {},
    lower: (inputs, { graph }) =>
      graph.node(operator, inputs, {
        kernel_shape: [kernel, kernel],
        strides: [stride, stride],
        pads: [padding, padding, padding, padding],
      }),
  };
}

function spatial(x: Layer, extent: (input: number) => number): number[] {
  return x.shape.slice(1).map((input) => Math.floor(extent(input)));
}

function batchNormParameters(
  name: string,
  channels: number,
): Record<string, readonly number[]> {
  const suffixes = ["weight", "bias", "running_mean", "running_var"];
  return Object.fromEntries(suffixes.map((suffix) => [`${name}.${suffix}`, [channels]]));
}

/** The batch norm of each channel as factor * x + offset. */
function batchNormAffine(
  name: string,
  parameter: ParameterLookup,
): { factors: Float64Array; offsets: Float64Array } {
  const [weight, bias, mean, variance] = ["weight", "bias", "running_mean", "running_var"]
    .map((suffix) => parameter(`${name}.${suffix}`).data);
  const factors = Float64Array.from(
    weight!,
    (w, channel) => w / Math.sqrt(variance![channel]! + BATCH_NORM_EPSILON),
  );
  const offsets = factors.map((factor, channel) => bias![channel]! - mean![channel]! * factor);
  return { factors, offsets };
}

function foldBatchNorm(
  { weight, bias }: { readonly weight: Tensor; readonly bias: Tensor | undefined },
  { factors, offsets }: { readonly factors: Float64Array; readonly offsets: Float64Array },
): { weight: Tensor; bias: Tensor } {
  const perChannel = weight.data.length / factors.length;
  return {
    weight: tensor(
      weight.shape,
      weight.data.map((w, index) => w * factors[Math.floor(index / perChannel)]!),
    ),
    bias: tensor(
      [factors.length],
      Float32Array.from(offsets, (offset, c) => offset + (bias?.data[c] ?? 0) * factors[c]!),
    ),
  };
}

function size(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}
