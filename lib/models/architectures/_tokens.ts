import type { GraphBuilder, Value } from "../../onnx/mod.ts";
import { type Tensor, tensor } from "../../tensor/mod.ts";
import { fullyConnected, type Layer } from "./_layers.ts";

/** The epsilon of torchvision's layer norms. */
const LAYER_NORM_EPSILON = 1e-6;

/**
 * The patches of an image as tokens, a class token before them, positions added:
 * [1 + patches, hidden].
 */
export function embedPatches(
  x: Layer,
  { patchSize, hidden }: { readonly patchSize: number; readonly hidden: number },
): Layer {
  const [channels, height, width] = x.shape;
  const patches = Math.floor(height! / patchSize) * Math.floor(width! / patchSize);
  const tokens = 1 + patches;
  return {
    inputs: [x],
    shape: [tokens, hidden],
    parameters: {
      "class_token": [1, 1, hidden],
      "conv_proj.weight": [hidden, channels!, patchSize, patchSize],
      "conv_proj.bias": [hidden],
      "encoder.pos_embedding": [1, tokens, hidden],
    },
    lower([pixels], { graph, parameter }) {
      const projected = graph.node("Conv", [
        pixels,
        graph.constant(parameter("conv_proj.weight")),
        graph.constant(parameter("conv_proj.bias")),
      ], { kernel_shape: [patchSize, patchSize], strides: [patchSize, patchSize] });
      const flat = graph.node("Reshape", [projected, graph.integers([0, hidden, patches])]);
      const patchTokens = graph.node("Transpose", [flat], { perm: [0, 2, 1] });
      // A token of zeros goes before the patches; its position carries the class token.
      const padded = graph.node("Pad", [patchTokens, graph.integers([0, 1, 0, 0, 0, 0])]);
      const positions = parameter("encoder.pos_embedding");
      const shifted = tensor(positions.shape, positions.data.slice());
      parameter("class_token").data.forEach((value, i) => shifted.data[i]! += value);
      return graph.node("Add", [padded, graph.constant(shifted)]);
    },
  };
}

/** Each token normalised over its width; `name` is the module path. */
export function layerNorm(x: Layer, name: string): Layer {
  const width = x.shape.at(-1)!;
  return {
    inputs: [x],
    shape: x.shape,
    parameters: { [`${name}.weight`]: [width], [`${name}.bias`]: [width] },
    lower: ([input], { graph, parameter }) =>
      graph.node("LayerNormalization", [
        input,
        graph.constant(parameter(`${name}.weight`)),
        graph.constant(parameter(`${name}.bias`)),
      ], { axis: -1, epsilon: LAYER_NORM_EPSILON }),
  };
}

/** The first token alone: [1, width]. */
export function firstToken(x: Layer): Layer {
  return {
    inputs: [x],
    shape: [1, x.shape.at(-1)!],
    parameters: {},
    lower: ([input], { graph }) =>
      graph.node(
        "Slice",
        [input!, ...[[0], [1], [1]].map((integers) => graph.integers(integers))],
      ),
  };
}

/**
 * nn.MultiheadAttention: `queries` [tokens, width] attend to `x`, from which keys and values come.
 */
export function attention(
  queries: Layer,
  x: Layer,
  { name, heads }: { readonly name: string; readonly heads: number },
): Layer {
  const width = x.shape.at(-1)!;
  return {
    inputs: [queries, x],
    shape: queries.shape,
    parameters: {
      [`${name}.in_proj_weight`]: [3 * width, width],
      [`${name}.in_proj_bias`]: [3 * width],
      [`${name}.out_proj.weight`]: [width, width],
      [`${name}.out_proj.bias`]: [width],
    },
    lower([queryTokens, tokens], { graph, parameter }) {
      const project = (input: Value, part: number, options: { perm: number[]; scale?: number }) =>
        projectHeads(graph, input, {
          ...options,
          heads,
          weight: rowsOfThird(parameter(`${name}.in_proj_weight`), part),
          bias: rowsOfThird(parameter(`${name}.in_proj_bias`), part),
          count: (part === 0 ? queries : x).shape[0]!,
        });
      const scale = 1 / Math.sqrt(width / heads);
      const query = project(queryTokens!, 0, { perm: [0, 2, 1, 3], scale });
      const key = project(tokens!, 1, { perm: [0, 2, 3, 1] });
      const value = project(tokens!, 2, { perm: [0, 2, 1, 3] });
      const weights = graph.node("Softmax", [graph.node("MatMul", [query, key])], { axis: -1 });
      const mixed = graph.node("MatMul", [weights, value]);
      const merged = graph.node("Transpose", [mixed], { perm: [0, 2, 1, 3] });
      return fullyConnected(graph, merged, {
        weight: parameter(`${name}.out_proj.weight`),
        bias: parameter(`${name}.out_proj.bias`),
        leading: [queries.shape[0]!],
      });
    },
  };
}

/** Tokens through a linear layer, cut into heads: [batch, tokens, heads, width of a head], permuted. */
function projectHeads(
  graph: GraphBuilder,
  x: Value,
  { weight, bias, heads, count, perm, scale }: {
    readonly weight: Tensor;
    readonly bias: Tensor;
    readonly heads: number;
    readonly count: number;
    readonly perm: readonly number[];
    readonly scale?: number;
  },
): Value {
  const width = weight.shape[0]!;
  const projected = fullyConnected(graph, x, {
    weight,
    bias,
    leading: [count],
    ...(scale !== undefined && { scale }),
  });
  const cut = graph.node("Reshape", [projected, graph.integers([0, count, heads, width / heads])]);
  return graph.node("Transpose", [cut], { perm });
}

/** The rows of the queries (0), keys (1) or values (2) in a parameter that stacks the three. */
function rowsOfThird({ shape, data }: Tensor, part: number): Tensor {
  const size = data.length / 3;
  return tensor(
    [shape[0]! / 3, ...shape.slice(1)],
    data.subarray(part * size, (part + 1) * size),
  );
}
