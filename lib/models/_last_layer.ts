import { dirname } from "node:path";
import type { OnnxBackbone } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import type { OnnxFile, OnnxNode } from "../onnx/mod.ts";
import { type Tensor, tensor, zeros } from "../tensor/mod.ts";
import type { LastLayer } from "./backbone.ts";

/** Operations that leave the numbers of one image as they are. */
const passThrough = ["Identity", "Dropout", "Flatten", "Reshape", "Squeeze", "Unsqueeze"];

/**
 * The last linear layer of a classifier, weight [classes, width], and the names of the values that
 * are its input and its output. Exporters write it as Gemm, or as MatMul with or without Add; its
 * weight may go through Identity and Transpose first.
 *
 * @throws {UserError} when the logits do not come from such a layer, or not from the features that
 * the config names.
 */
export async function findLastLayer(
  onnx: OnnxFile,
  config: Pick<OnnxBackbone, "file" | "features" | "logits">,
): Promise<LastLayer & { readonly features: string; readonly logits: string }> {
  const logits = chooseLogits(onnx, config);
  const source = origin(onnx, logits);
  const linear = matchLinear(onnx, source);
  if (linear === undefined) {
    const operator = onnx.producers.get(source)?.operator ?? "nothing";
    const softmax = operator.endsWith("Softmax");
    throw mistake(
      config,
      `output ${logits} comes from ${operator}, not from a linear layer (Gemm, or MatMul and Add, ` +
        `with a constant weight); ${
          softmax ? `name the value before it, ${onnx.producers.get(source)!.inputs[0]},` : "name"
        } as "logits"${softmax ? "" : " a value that does"}`,
    );
  }
  const { features: named } = config;
  if (named !== undefined && origin(onnx, named) !== origin(onnx, linear.features)) {
    throw mistake(
      config,
      `the input of the last linear layer is ${linear.features}, not ${named} as "features" says`,
    );
  }
  const folder = dirname(config.file);
  const weight = await readMatrix(onnx, linear.weight, folder);
  const outputs = linear.transposed ? weight : transpose(weight);
  const bias = linear.bias === undefined
    ? zeros([outputs.shape[0]!])
    : await onnx.constant(constantName(onnx, linear.bias), folder);
  return {
    features: linear.features,
    logits,
    weight: scaled(outputs, linear.alpha),
    bias: tensor([outputs.shape[0]!], scaled(broadcast(bias, outputs.shape[0]!), linear.beta).data),
  };
}

interface Linear {
  readonly features: string;
  readonly weight: string;
  /** Whether the weight is [classes, width] as stored, not [width, classes]. */
  readonly transposed: boolean;
  readonly bias: string | undefined;
  readonly alpha: number;
  readonly beta: number;
}

function matchLinear(onnx: OnnxFile, value: string): Linear | undefined {
  const node = onnx.producers.get(value);
  if (node?.operator === "Gemm" && !node.attributes["transA"]) {
    const [features, weight, bias] = node.inputs;
    if (!isConstant(onnx, weight) || (bias && !isConstant(onnx, bias))) return undefined;
    const { transB = 0, alpha = 1, beta = 1 } = node.attributes as Record<string, number>;
    const transposed = transB === 1;
    return {
      features: features!,
      weight: weight!,
      transposed,
      bias: bias || undefined,
      alpha,
      beta,
    };
  }
  if (node?.operator === "MatMul") return matchProduct(onnx, node, undefined);
  if (node?.operator !== "Add") return undefined;
  const [left, right] = node.inputs;
  const [bias, sum] = isConstant(onnx, left) ? [left, right] : [right, left];
  const product = onnx.producers.get(origin(onnx, sum!));
  if (!isConstant(onnx, bias) || product?.operator !== "MatMul") return undefined;
  return matchProduct(onnx, product, bias);
}

function matchProduct(
  onnx: OnnxFile,
  { inputs: [features, weight] }: OnnxNode,
  bias: string | undefined,
): Linear | undefined {
  if (!isConstant(onnx, weight)) return undefined;
  return { features: features!, weight: weight!, transposed: false, bias, alpha: 1, beta: 1 };
}

function chooseLogits(
  { outputs, producers }: OnnxFile,
  config: Pick<OnnxBackbone, "file" | "logits">,
): string {
  const { logits = outputs.length === 1 ? outputs[0] : undefined } = config;
  if (logits !== undefined && producers.has(logits)) return logits;
  throw mistake(
    config,
    logits === undefined
      ? `the outputs are [${outputs.join(", ")}]; name one as "logits"`
      : `there is no value ${logits}, which "logits" names; the outputs are [${
        outputs.join(", ")
      }]`,
  );
}

/** The value behind operations that leave the numbers as they are. */
function origin(onnx: OnnxFile, value: string): string {
  const node = onnx.producers.get(value);
  return node !== undefined && passThrough.includes(node.operator)
    ? origin(onnx, node.inputs[0]!)
    : value;
}

function isConstant(onnx: OnnxFile, value: string | undefined): boolean {
  if (value === undefined) return false;
  const node = onnx.producers.get(value);
  return onnx.isConstant(value) ||
    (["Identity", "Transpose"].includes(node?.operator ?? "") && isConstant(onnx, node!.inputs[0]));
}

function constantName(onnx: OnnxFile, value: string): string {
  return onnx.isConstant(value) ? value : constantName(onnx, onnx.producers.get(value)!.inputs[0]!);
}

async function readMatrix(onnx: OnnxFile, value: string, folder: string): Promise<Tensor> {
  if (onnx.isConstant(value)) return await onnx.constant(value, folder);
  const { operator, inputs } = onnx.producers.get(value)!;
  const matrix = await readMatrix(onnx, inputs[0]!, folder);
  return operator === "Transpose" ? transpose(matrix) : matrix;
}

function transpose({ shape, data }: Tensor): Tensor {
  const [rows, columns] = shape as [number, number];
  const transposed = zeros([columns, rows]);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) transposed.data[j * rows + i] = data[i * columns + j]!;
  }
  return transposed;
}

function scaled(matrix: Tensor, factor: number): Tensor {
  return factor === 1 ? matrix : tensor(matrix.shape, matrix.data.map((value) => value * factor));
}

/** A bias of one number, or of one for each class. */
function broadcast({ data }: Tensor, classes: number): Tensor {
  return tensor([classes], data.length === 1 ? new Float32Array(classes).fill(data[0]!) : data);
}

function mistake(config: Pick<OnnxBackbone, "file">, problem: string): UserError {
  return new UserError(`Opening the ONNX model ${config.file}: ${problem}.`);
}
