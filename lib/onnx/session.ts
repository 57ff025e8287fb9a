import { env, InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { type Tensor, tensor } from "../tensor/mod.ts";
import { createGraph } from "./graph.ts";

/** Where a model runs. */
export type Device = "cpu" | "webgpu" | "cuda";

/** The machine or the installed runtime lacks the device that was asked for. */
export class DeviceUnavailableError extends Error {
  override readonly name = "DeviceUnavailableError";
}

/** The runtime and its version: other versions may round differently. */
export const runtimeVersion = `onnxruntime ${env.versions.node}`;

/** How a session runs. */
export interface SessionOptions {
  /** `cpu` when left out. */
  readonly device?: Device | undefined;
  /** Threads of one operator; all cores when left out. With Workers, give each session 1. */
  readonly threads?: number | undefined;
  /** The folder of the external data files of a model that is given as bytes. */
  readonly externalData?: string | undefined;
}

/** Whole numbers in row-major order, such as the token ids of texts. */
export interface Int32Tensor {
  readonly shape: readonly number[];
  readonly data: Int32Array;
}

/** Bytes in row-major order, such as pixels from 0 to 255. */
export interface Uint8Tensor {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** What a model is fed, of the type that it declares. */
export type FeedTensor = Tensor | Int32Tensor | Uint8Tensor;

/** What a model declares of an input; an extent is a name where any will do. */
export interface InputInfo {
  readonly name: string;
  /** The type of its numbers, such as "float32" or "int32". */
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

/** A loaded ONNX model. */
export interface Session {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly inputInfo: readonly InputInfo[];
  /**
   * Runs the model on named inputs and returns the outputs asked for, of float32. The event loop
   * stands still meanwhile, and the inputs are read until the promise resolves.
   *
   * @throws {RangeError} when an input is missing, or an output is unknown or of another type.
   */
  run<Name extends string>(
    feeds: Readonly<Record<string, FeedTensor>>,
    outputs: readonly Name[],
  ): Promise<Record<Name, Tensor>>;
  /** Frees the model. The session is of no use afterwards. */
  close(): Promise<void>;
}

/**
 * Loads an ONNX model from its bytes, or from a file.
 *
 * @throws {DeviceUnavailableError} when the device is not there.
 */
export async function openSession(
  model: Uint8Array | string,
  { device = "cpu", threads, externalData }: SessionOptions = {},
): Promise<Session> {
  // What onnxruntime logs as an error it throws as well.
  env.logLevel = "fatal";
  const options: InferenceSession.SessionOptions = {
    executionProviders: [device],
    graphOptimizationLevel: "all",
    ...(threads !== undefined && { intraOpNumThreads: threads }),
    ...(externalData !== undefined && {
      extra: { session: { model_external_initializers_file_folder_path: externalData } },
    }),
  };
  const session = await createSession(model, { options, device });
  return {
    inputs: session.inputNames,
    outputs: session.outputNames,
    inputInfo: session.inputMetadata.flatMap((input) =>
      input.isTensor ? [{ name: input.name, type: input.type, shape: input.shape }] : []
    ),
    run: (feeds, outputs) => runSession(session, { feeds, outputs }),
    close: () => session.release(),
  };
}

/**
 * Tries a device with a model of one operation, so that its lack is found before work starts.
 *
 * @throws {DeviceUnavailableError} when the device is not there.
 */
export async function requireDevice(device: Device): Promise<void> {
  if (device === "cpu") return;
  const graph = createGraph("try");
  graph.output(graph.node("Identity", [graph.input("x", [1])]), "y");
  const session = await openSession(graph.build(), { device });
  await session.close();
}

async function createSession(
  model: Uint8Array | string,
  { options, device }: { options: InferenceSession.SessionOptions; device: Device },
): Promise<InferenceSession> {
  try {
    return typeof model === "string"
      ? await InferenceSession.create(model, options)
      : await InferenceSession.create(model, options);
  } catch (cause) {
    if (device === "cpu") throw cause;
    const reason = String((cause as Error).message).split("\n")[0];
    throw new DeviceUnavailableError(
      `Opening a model on the device "${device}" failed (${reason}): use "cpu", or install what ` +
        `that device needs.`,
      { cause },
    );
  }
}

async function runSession<Name extends string>(
  session: InferenceSession,
  { feeds, outputs }: {
    feeds: Readonly<Record<string, FeedTensor>>;
    outputs: readonly Name[];
  },
): Promise<Record<Name, Tensor>> {
  const missing = session.inputNames.filter((name) => feeds[name] === undefined);
  const unknown = outputs.filter((name) => !session.outputNames.includes(name));
  if (missing.length + unknown.length > 0) {
    throw new RangeError(
      `Running a model with the inputs [${session.inputNames}] and outputs ` +
        `[${session.outputNames}]: missing inputs [${missing}], unknown outputs [${unknown}].`,
    );
  }
  const results = await session.run(
    Object.fromEntries(
      session.inputNames.map((name) => {
        return [name, fed(feeds[name]!)];
      }),
    ),
    [...outputs],
  );
  const copies = outputs.map((name) => {
    const result = results[name]!;
    if (result.type !== "float32") {
      throw new RangeError(`The output ${name} is of the type ${result.type}, not float32.`);
    }
    const copy = tensor(result.dims, (result.data as Float32Array).slice());
    result.dispose();
    return [name, copy] as const;
  });
  return Object.fromEntries(copies) as Record<Name, Tensor>;
}

function fed({ shape, data }: FeedTensor): OrtTensor {
  if (data instanceof Int32Array) return new OrtTensor("int32", data, shape);
  if (data instanceof Uint8Array) return new OrtTensor("uint8", data, shape);
  return new OrtTensor("float32", data, shape);
}
