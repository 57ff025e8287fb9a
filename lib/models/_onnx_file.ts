import { printable, UserError } from "../files/mod.ts";
import { type OnnxFile, readOnnx } from "../onnx/mod.ts";

/**
 * The bytes of a user's ONNX file.
 *
 * @throws {UserError} when it is not there.
 */
export async function readOnnxFile(file: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(file);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    const reason = cause instanceof Deno.errors.NotFound
      ? "there is no such file"
      : printable(cause instanceof Error ? cause.message : String(cause));
    throw new UserError(`Opening the model ${file} failed: ${reason}. Name an ONNX file.`, {
      cause,
    });
  }
}

/**
 * What an ONNX file holds.
 *
 * @throws {UserError} when the bytes are no model.
 */
export function parseOnnx(file: string, bytes: Uint8Array): OnnxFile {
  try {
    return readOnnx(bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? ` (${printable(cause.message)})` : "";
    throw new UserError(`${file} is no ONNX model that is read${reason}. Export it again.`, {
      cause,
    });
  }
}
