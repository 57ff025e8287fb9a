import type * as tfCore from "@tensorflow/tfjs-core";
import { registerGradients } from "./_tfjs_gradients.ts";
import { type Device, DeviceUnavailableError } from "./session.ts";

/** The operators and the autodiff of TensorFlow.js, on a backend that has been started. */
export interface Tfjs {
  readonly tf: typeof tfCore;
  /** Version and backend in words: "TensorFlow.js 4.22.0 on wasm". */
  readonly description: string;
}

/** Not a dependency: its native library is downloaded when a user installs it. */
const nativePackage = "@tensorflow/tfjs-node-gpu";

/**
 * Starts TensorFlow.js on the native TensorFlow of tfjs-node-gpu where that is installed, else on
 * WebAssembly.
 *
 * @throws {DeviceUnavailableError} when a device other than the cpu is asked for and the native
 * library is not there.
 */
export async function openTfjs({ device }: { readonly device: Device }): Promise<Tfjs> {
  const native = await importNative().catch((cause) => {
    if (device === "cpu") return undefined;
    throw new DeviceUnavailableError(
      `Starting TensorFlow.js on the device "${device}" takes the package ${nativePackage} with ` +
        `its native library: install it, or use "cpu".`,
      { cause },
    );
  });
  const tf = native ?? await startWasm();
  registerGradients(tf);
  return { tf, description: `TensorFlow.js ${tf.version_core} on ${tf.getBackend()}` };
}

async function importNative(): Promise<typeof tfCore> {
  const tf: typeof tfCore = await import(nativePackage);
  await tf.setBackend("tensorflow");
  return tf;
}

async function startWasm(): Promise<typeof tfCore> {
  // Imported when asked for, since it is large and the default engine does without.
  const tf = await import("@tensorflow/tfjs-core");
  await import("@tensorflow/tfjs-backend-wasm");
  await tf.setBackend("wasm");
  return tf;
}
