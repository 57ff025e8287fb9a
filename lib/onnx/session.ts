import { env, InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { type Tensor, tensor } from "../tensor/mod.ts";

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

/** A loaded ONNX model. */
export interface Session {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /**
   * Runs the model on named float32 inputs and returns the outputs asked for. The event loop stands
   * still meanwhile, and the inputs are read until the promise resolves.
   *
   * @throws {RangeError} when an input is missing or an output is unknown.
   */
  run<Name extends string>(
    feeds: Readonly<Record<string, Tensor>>,
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
    run: (feeds, outputs) => runSession(session, { feeds, outputs }),
    close: () => session.release(),
  };
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
  { feeds, outputs }: { feeds: Readonly<Record<string, Tensor>>; outputs: readonly Name[] },
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
        const { shape, data } = feeds[name]!;
        return [name, new OrtTensor("float32", data, shape)];
      }),
    ),
    [...outputs],
  );
  const copies = outputs.map((name) => {
    const result = results[name]!;
    const copy = tensor(result.dims, (result.data as Float32Array).slice());
    result.dispose();
    return [name, copy] as const;
  });
  return Object.fromEntries(copies) as Record<Name, Tensor>;
}
