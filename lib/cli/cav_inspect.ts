import { buildCommand } from "@stricli/core";
import { resolve } from "node:path";
import { type InspectedModel, inspectModel, layerShapes, tryGradient } from "../models/mod.ts";
import { describeBackbone, isOnnxFile, loadProfile } from "../pipeline/mod.ts";
import { openDigests } from "../store/mod.ts";
import { choicesOf, type ModelFlags, modelFlags, optionalText } from "./cav_flags.ts";
import type { CliContext } from "./context.ts";

interface InspectFlags extends ModelFlags {
  readonly layer?: string;
  readonly json: boolean;
}

/** `cav inspect MODEL`: what of a model can be a feature, and whether its gradient is right. */
export const cavInspectCommand = buildCommand<InspectFlags, [string], CliContext>({
  docs: {
    brief: "Look into a model: its input, layers, logits, preprocessing and gradients",
    fullDescription: [
      "Lists the values that can be features, as --layer of `cav train` takes them, with their shape",
      "and whether their gradient can be written; compares the gradient at one of them with finite",
      "differences; says what the file leaves open and what is guessed.",
      "",
      "Examples:",
      "  deno task cav inspect model.onnx",
      "  deno task cav inspect model.onnx --layer /layer4/Relu_output_0",
      "  deno task cav inspect resnet18",
    ].join("\n"),
  },
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [{
        brief: "An ONNX file, or a backbone by name",
        parse: String,
        placeholder: "model",
      }],
    },
    flags: {
      layer: optionalText(
        "Where the gradient is checked; the last linear layer's input if left out",
      ),
      ...modelFlags,
      json: { kind: "boolean", brief: "Print JSON instead of text", default: false },
    },
  },
  func: async function (flags, model) {
    const { root, storeRoot, process: { stdout } } = this;
    if (!isOnnxFile(model)) {
      const profile = await loadProfile(root, flags.profile ?? "world");
      const described = await describeBackbone({ root, model, profile }, {
        digests: openDigests(storeRoot),
      });
      stdout.write(flags.json ? `${JSON.stringify(described)}\n` : backboneLines(described));
      return;
    }
    const inspected = await inspectModel(resolve(root, model), await choicesOf(flags, { root }));
    const shapes = await layerShapes(inspected);
    const check = await tryGradient(inspected, { layer: flags.layer });
    if (flags.json) stdout.write(`${JSON.stringify(asJson(inspected, { shapes, check }))}\n`);
    else stdout.write(modelLines(inspected, { shapes, check }));
  },
});

interface Found {
  readonly shapes: Awaited<ReturnType<typeof layerShapes>>;
  readonly check: Awaited<ReturnType<typeof tryGradient>>;
}

function asJson(inspected: InspectedModel, { shapes, check }: Found) {
  const { lastLayer, layers, ...rest } = inspected;
  return {
    ...rest,
    layers: layers.map(({ name, operator, hasGradient }) => ({
      name,
      operator,
      shape: shapes[name],
      hasGradient,
    })),
    lastLayer: "features" in lastLayer
      ? { features: lastLayer.features, weight: lastLayer.weight.shape }
      : lastLayer,
    gradientCheck: check,
  };
}

function modelLines(inspected: InspectedModel, { shapes, check }: Found): string {
  const { image, logits, lastLayer, preprocess, layers, withoutGradient, opset, outputs } =
    inspected;
  const batch = image.batch === undefined ? "any batch" : `batches of ${image.batch}`;
  const { resize, crop, mean, std, interpolation } = preprocess.spec;
  const lines = [
    `Operators   version ${opset}; ${
      withoutGradient.length === 0
        ? "the gradient of each can be written"
        : `no gradient of ${withoutGradient.join(", ")}`
    }`,
    `Input       ${image.name}, ${image.type}, ${
      image.layout === "nchw" ? "channels first" : "channels last"
    }, side ${image.imageSize}, ${batch}`,
    `Outputs     ${outputs.join(", ")}`,
    `Logits      ${logits} [${shapes[logits]}]`,
    `Last layer  ${
      "features" in lastLayer
        ? `features ${lastLayer.features}, weight [${lastLayer.weight.shape}]`
        : `not found: ${lastLayer.reason}`
    }`,
    `Preprocess  ${preprocess.certainty}: ${preprocess.why}`,
    `            resize ${JSON.stringify(resize)}, ${interpolation}, crop ${crop}, mean [${
      mean.map(short)
    }], std [${std.map(short)}]`,
    `Gradient    ${
      "reason" in check
        ? `not checked: ${check.reason}`
        : `at ${check.layer}, of logit ${check.logit}: ${
          check.gradient.toPrecision(6)
        }, by finite ` +
          `differences ${check.difference.toPrecision(6)} (${(100 * check.error).toFixed(3)} % off)`
    }`,
    "Layers that can be features:",
    ...layers.filter(({ name }) => canBeFeature(shapes[name]!, shapes[logits]!)).map((
      { name, operator, hasGradient },
    ) => `  ${name}  ${operator} [${shapes[name]}]${hasGradient ? "" : "  no gradient"}`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** Whether a value has a row for each image, as the logits do, and two to four extents. */
function canBeFeature(shape: readonly number[], logits: readonly number[]): boolean {
  return shape[0] === logits[0] && shape.length >= 2 && shape.length <= 4;
}

const short = (value: number) => Number(value.toPrecision(4));

function backboneLines(
  { name, sha256, profile, layers, width, classes, preprocess }: Awaited<
    ReturnType<typeof describeBackbone>
  >,
): string {
  return [
    `Backbone    ${name}, weights of the profile ${profile} with SHA-256 ${sha256}`,
    `Input       float, channels first, side ${preprocess.imageSize}, any batch`,
    `Logits      ${classes}, from ${width} features`,
    `Preprocess  known: mean [${preprocess.spec.mean}], std [${preprocess.spec.std}]`,
    `Layers that can be features: ${layers.join(", ")}`,
  ].map((line) => `${line}\n`).join("");
}
