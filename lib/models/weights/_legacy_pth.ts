import { materialise } from "./_materialise.ts";
import { say, unpickle } from "./_pickle.ts";
import { findStateDict } from "./_state_dict.ts";
import { count, type StorageRef, torchRules } from "./_torch_pickle.ts";
import type { StateDict } from "./pth.ts";

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

/**
 * Reads PyTorch's format before 1.6: five pickles (magic number, protocol version, system, state
 * dict, storage keys), then per key the item count (int64) and the items.
 *
 * @throws {Error} when the file is malformed or holds more or less than that.
 */
export function readLegacyPth(bytes: Uint8Array): StateDict {
  if (bytes[0] !== 0x80) {
    const beginning = new TextDecoder("latin1").decode(bytes.subarray(0, 16));
    throw new Error(`it is no file of torch.save, it begins with ${say(beginning)}.`);
  }
  const storages = new Map<string, StorageRef>();
  const rules = torchRules(storages);
  let end = 0;
  const next = () => {
    const read = unpickle(bytes, { start: end, rules });
    end = read.end;
    return read.value;
  };
  if (next() !== MAGIC) throw new Error("it does not begin with PyTorch's magic number.");
  const protocol = next();
  if (protocol !== PROTOCOL) throw new Error(`its protocol is ${say(protocol)}, not ${PROTOCOL}.`);
  const system = next();
  if (!(system instanceof Map) || system.get("little_endian") !== true) {
    throw new Error("it was not written on a little-endian machine.");
  }
  const { tensors, remarks } = findStateDict(next());
  const keys = next();
  if (
    !Array.isArray(keys) || new Set(keys).size !== storages.size || keys.length !== storages.size
  ) {
    throw new Error("the list of its storages does not fit its tensors.");
  }
  const items = keys.map((key) => {
    const ref = storages.get(key);
    if (ref === undefined) throw new Error(`nothing uses the storage ${say(key)}.`);
    const { data, end: after } = readItems(bytes, { at: end, size: ref.type.itemSize });
    end = after;
    return { ref, bytes: data };
  });
  if (end !== bytes.length) throw new Error(`${bytes.length - end} bytes follow its storages.`);
  return { tensors: materialise(tensors, items), remarks };
}

/** An item count as int64 and so many items. */
export function readItems(
  bytes: Uint8Array,
  { at, size }: { readonly at: number; readonly size: number },
): { readonly data: Uint8Array; readonly end: number } {
  const length = readInt64(bytes, at);
  const end = at + 8 + length * size;
  if (end > bytes.length) {
    throw new Error(`a storage claims ${length} items, the file ends before.`);
  }
  return { data: bytes.subarray(at + 8, end), end };
}

/** A non-negative int64 at `at`. */
export function readInt64(bytes: Uint8Array, at: number): number {
  if (at + 8 > bytes.length) throw new Error(`it is cut off at byte ${bytes.length}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 8);
  return count(Number(view.getBigInt64(0, true)), "a 64-bit integer");
}
