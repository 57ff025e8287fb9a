import { dirname, join } from "node:path";
import type { OnnxBackbone } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import { type Device, type OnnxFile, type Session, withOutputs } from "../onnx/mod.ts";
import { type Tensor, tensor } from "../tensor/mod.ts";
import { runInBatches } from "./_batches.ts";
import { type Backbone, type LastLayer, openModelSession } from "./backbone.ts";
import { findLastLayer } from "./_last_layer.ts";
import { parseOnnx } from "./_onnx_file.ts";

/** A user's own classifier. */
export interface OnnxClassifier extends Backbone {
  /** In the order of the logits. */
  readonly classNames: readonly string[];
}

/**
 * Opens any ONNX classifier as it was exported. Its last linear layer is found in the graph: the
 * features are that layer's input, [count, width].
 *
 * @throws {UserError} when a file is missing or no ONNX model, a name in the config is not in the
 * model, the last linear layer cannot be found, the class names are not as many as the logits, or
 * the device is not there.
 */
export async function openOnnxClassifier(
  config: OnnxBackbone,
  { device, threads }: { readonly device?: Device; readonly threads?: number } = {},
): Promise<OnnxClassifier> {
  const { name, file } = config;
  const bytes = await readFile(config, "file");
  const onnx = parseOnnx(file, bytes);
  const input = chooseInput(onnx, config);
  const { logits, features, ...lastLayer } = await findLastLayer(onnx, config).catch(
    refuse(config),
  );
  const classNames = await readClassNames(config, lastLayer.bias.data.length);
  const hidden = [features, logits].filter((value) => !onnx.outputs.includes(value));
  const session = await openModelSession(withOutputs(bytes, hidden), {
    device,
    threads,
    externalData: dirname(file),
  }).catch(refuse(config));
  const [classes, width] = lastLayer.weight.shape;
  const values = {
    features: { name: features, width: width! },
    logits: { name: logits, width: classes! },
  };
  return {
    name,
    outputs: ["features", "logits"],
    imageSize: input.imageSize,
    lastLayer,
    classNames,
    run: (pixels, count, outputs) => runBatches(session, { pixels, count, outputs, values, input }),
    close: () => session.close(),
  };
}

/**
 * The files that an ONNX model consists of: itself and those beside it that hold its constants.
 *
 * @throws {UserError} when it is missing or no ONNX model.
 */
export async function onnxFiles(config: OnnxBackbone): Promise<string[]> {
  const onnx = parseOnnx(config.file, await readFile(config, "file"));
  try {
    return [config.file, ...onnx.externalFiles().map((file) => join(dirname(config.file), file))];
  } catch (cause) {
    throw refuse(config)(cause as Error);
  }
}

/**
 * The last linear layer of an ONNX classifier and the names of its logits, from the file's constants:
 * no session is opened.
 *
 * @throws {UserError} as {@linkcode openOnnxClassifier} does.
 */
export async function readLastLayer(
  config: OnnxBackbone,
): Promise<LastLayer & { readonly classNames: readonly string[] }> {
  const onnx = parseOnnx(config.file, await readFile(config, "file"));
  chooseInput(onnx, config);
  const { weight, bias } = await findLastLayer(onnx, config).catch(refuse(config));
  return { weight, bias, classNames: await readClassNames(config, bias.data.length) };
}

interface ImageInput {
  readonly name: string;
  readonly imageSize: number;
  /** The batch that the file was exported with, or undefined when any will do. */
  readonly batch: number | undefined;
}

async function runBatches<Name extends string>(
  session: Session,
  { pixels, count, outputs, values, input }: {
    readonly pixels: Float32Array;
    readonly count: number;
    readonly outputs: readonly Name[];
    readonly values: Readonly<Record<string, { readonly name: string; readonly width: number }>>;
    readonly input: ImageInput;
  },
): Promise<Record<Name, Tensor>> {
  const unknown = outputs.filter((output) => values[output] === undefined);
  if (unknown.length > 0) {
    throw new RangeError(`An ONNX classifier has the outputs features and logits, not ${unknown}.`);
  }
  const { imageSize, name, batch = count } = input;
  const shape = [batch, 3, imageSize, imageSize];
  const names = outputs.map((output) => values[output]!.name);
  const parts = await runInBatches(
    { pixels, count, imageSize, batch },
    (images) => session.run({ [name]: tensor(shape, images) }, names),
  );
  const joined = outputs.map((output) => {
    const { name: value, width } = values[output]!;
    const rows = new Float32Array(parts.length * batch * width);
    for (const [index, part] of parts.entries()) {
      const { shape, data } = part[value]!;
      if (data.length !== batch * width) {
        throw new RangeError(`${output} (${value}) is [${shape}], not ${batch} rows of ${width}.`);
      }
      rows.set(data, index * batch * width);
    }
    return [output, tensor([count, width], rows.subarray(0, count * width))] as const;
  });
  return Object.fromEntries(joined) as Record<Name, Tensor>;
}

function chooseInput({ inputs }: OnnxFile, config: OnnxBackbone): ImageInput {
  const names = inputs.map(({ name }) => name);
  const input = config.input === undefined && inputs.length === 1
    ? inputs[0]
    : inputs.find(({ name }) => name === config.input);
  if (input === undefined) {
    throw mistake(config, `the inputs are [${names.join(", ")}]; name one as "input"`);
  }
  const [batch, channels, height, width] = input.shape;
  const imageSize = height ?? config.preprocess.crop ?? undefined;
  const takesImages = input.isFloat32 && input.shape.length === 4 && (channels ?? 3) === 3 &&
    imageSize !== undefined && (width ?? imageSize) === imageSize;
  if (!takesImages) {
    throw mistake(
      config,
      `input ${input.name} must take float32 images [batch, 3, size, size], whose size is in the ` +
        `file or given as "preprocess.crop", not [${input.shape.map((extent) => extent ?? "?")}]`,
    );
  }
  const { crop } = config.preprocess;
  if (crop !== null && crop !== imageSize) {
    throw mistake(config, `it takes images of side ${imageSize}, not ${crop} as "preprocess.crop"`);
  }
  return { name: input.name, imageSize, batch };
}

async function readClassNames(config: OnnxBackbone, classes: number): Promise<string[]> {
  const text = new TextDecoder().decode(await readFile(config, "classNames"));
  const names = text.trimEnd().split(/\r?\n/).map((line) => line.trim());
  if (names.length !== classes || names.includes("")) {
    throw mistake(
      config,
      `${config.classNames} must hold ${classes} class names, one a line, not ${names.length}`,
    );
  }
  return names;
}

async function readFile(config: OnnxBackbone, field: "file" | "classNames"): Promise<Uint8Array> {
  try {
    return await Deno.readFile(config[field]);
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound ? "there is no such file" : `${cause}`;
    throw new UserError(
      `Opening the backbone ${config.name} failed at "${field}", ${config[field]}: ${reason}.`,
      { cause },
    );
  }
}

/** Turns what the reader or onnxruntime found wrong with the file into the user's mistake. */
function refuse(config: OnnxBackbone): (cause: Error) => never {
  return (cause) => {
    if (cause instanceof UserError) throw cause;
    throw new UserError(
      `Opening the ONNX model ${config.file} failed: ${cause.message}. Export it again.`,
      { cause },
    );
  };
}

function mistake(config: OnnxBackbone, problem: string): UserError {
  return new UserError(`Opening the ONNX model ${config.file}: ${problem}.`);
}
