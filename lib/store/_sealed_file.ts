import { createHash } from "node:crypto";

const digestLength = 32;

/** How a file of the store holds a payload: its SHA-256, then the payload itself. */
export function seal(payload: Uint8Array): readonly [digest: Uint8Array, payload: Uint8Array] {
  return [digestOf(payload), payload];
}

/** The payload of a sealed file, or `undefined` when it is not what was sealed. */
export function unseal(file: Uint8Array): Uint8Array | undefined {
  const payload = file.subarray(digestLength);
  return digestOf(payload).equals(file.subarray(0, digestLength)) ? payload : undefined;
}

function digestOf(payload: Uint8Array) {
  return createHash("sha256").update(payload).digest();
}
