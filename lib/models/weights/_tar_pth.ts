import { quote, tarEntries } from "../../files/mod.ts";
import { readInt64, readItems } from "./_legacy_pth.ts";
import { materialise, type StorageItems } from "./_materialise.ts";
import { type Foreign, type PickleRules, say, unpickle } from "./_pickle.ts";
import { findStateDict } from "./_state_dict.ts";
import {
  count,
  type StorageRef,
  storageTypeOf,
  tensorOn,
  type TensorRef,
  torchRules,
} from "./_torch_pickle.ts";
import type { StateDict } from "./pth.ts";

/**
 * Reads PyTorch's first format: a tar with `storages` (items), `tensors` (windows on them) and
 * `pickle` (the state dict, whose persistent ids are those of the tensors).
 *
 * @throws {Error} when a part is missing or malformed.
 */
export async function readTarPth(bytes: Uint8Array): Promise<StateDict> {
  const parts = await readParts(bytes);
  const rules = torchRules(new Map());
  requireLittleEndian(parts.get("sys_info"), rules);
  const { items, refs } = readStorages(part(parts, "storages"), rules);
  const tensors = readTensors(part(parts, "tensors"), { refs, rules });
  const { value } = unpickle(part(parts, "pickle"), {
    start: 0,
    rules: { ...rules, persistentLoad: (id) => known(tensors, idOf(id)) },
  });
  const { tensors: found, remarks } = findStateDict(value);
  return { tensors: materialise(found, items), remarks };
}

/** The system's description may be missing; where it is there, it must name this byte order. */
function requireLittleEndian(bytes: Uint8Array | undefined, rules: PickleRules): void {
  if (bytes === undefined) return;
  const { value } = unpickle(bytes, { start: 0, rules });
  if (value instanceof Map && value.get("little_endian") === true) return;
  throw new Error("it was not written on a little-endian machine.");
}

async function readParts(bytes: Uint8Array): Promise<ReadonlyMap<string, Uint8Array>> {
  const parts = new Map<string, Uint8Array>();
  for await (const { name, kind, size, body } of tarEntries(ReadableStream.from([bytes]))) {
    if (kind !== "file") throw new Error(`its part ${quote(name)} is no file.`);
    if (parts.has(name)) throw new Error(`its part ${quote(name)} occurs twice.`);
    if (size > bytes.length) throw new Error(`its part ${quote(name)} claims ${size} bytes.`);
    const part = new Uint8Array(size);
    let filled = 0;
    for await (const piece of body) {
      part.set(piece, filled);
      filled += piece.length;
    }
    parts.set(name, part);
  }
  return parts;
}

/** Count; per storage its description and items; then the views on other storages. */
function readStorages(bytes: Uint8Array, rules: PickleRules) {
  const reader = new Reader(bytes, rules);
  const items: StorageItems[] = [];
  const refs = new Map<string, StorageRef>();
  for (let left = count(reader.pickle(), "the number of storages"); left > 0; left--) {
    const [id, , typeGlobal] = reader.tuple(3);
    const type = storageTypeOf(typeGlobal);
    const data = reader.items(type.itemSize);
    const ref = { key: idOf(id), type, length: data.length / type.itemSize, offset: 0 };
    refs.set(ref.key, ref);
    items.push({ ref, bytes: data });
  }
  const views = reader.pickle();
  if (!Array.isArray(views)) throw new Error(`its storage views are ${say(views)}, not a list.`);
  for (const view of views) {
    if (!Array.isArray(view)) throw new Error(`a storage view is ${say(view)}.`);
    const root = known(refs, idOf(view[1]));
    refs.set(idOf(view[0]), { ...root, offset: root.offset + count(view[2], "a view's offset") });
  }
  return { items, refs };
}

/** Count; per tensor its ids, dimensions (8 bytes), sizes, strides and offset as int64. */
function readTensors(
  bytes: Uint8Array,
  { refs, rules }: {
    readonly refs: ReadonlyMap<string, StorageRef>;
    readonly rules: PickleRules;
  },
): ReadonlyMap<string, TensorRef | Foreign> {
  const reader = new Reader(bytes, rules);
  const tensors = new Map<string, TensorRef | Foreign>();
  for (let left = count(reader.pickle(), "the number of tensors"); left > 0; left--) {
    const [id, storageId] = reader.tuple(3);
    const storage = known(refs, idOf(storageId));
    // Old writers left the upper half of the dimensions' eight bytes undefined.
    const dimensions = reader.int64() % 2 ** 32;
    const size = reader.int64s(dimensions);
    const stride = reader.int64s(dimensions);
    tensors.set(idOf(id), tensorOn(storage, { offset: reader.int64(), size, stride }));
  }
  return tensors;
}

/** Pickles and numbers that follow one another. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #rules: PickleRules;
  #at = 0;

  constructor(bytes: Uint8Array, rules: PickleRules) {
    this.#bytes = bytes;
    this.#rules = rules;
  }

  pickle(): unknown {
    const { value, end } = unpickle(this.#bytes, { start: this.#at, rules: this.#rules });
    this.#at = end;
    return value;
  }

  tuple(length: number): readonly unknown[] {
    const value = this.pickle();
    if (Array.isArray(value) && value.length === length) return value;
    throw new Error(`it describes a part by ${say(value)}, not by ${length} values.`);
  }

  items(size: number): Uint8Array {
    const { data, end } = readItems(this.#bytes, { at: this.#at, size });
    this.#at = end;
    return data;
  }

  int64(): number {
    this.#at += 8;
    return readInt64(this.#bytes, this.#at - 8);
  }

  int64s(length: number): readonly number[] {
    if (length * 8 > this.#bytes.length) throw new Error(`a tensor claims ${length} dimensions.`);
    return Array.from({ length }, () => this.int64());
  }
}

/** Ids were addresses in memory, written as numbers or as their digits. */
function idOf(id: unknown): string {
  if (typeof id === "number" || typeof id === "bigint" || typeof id === "string") return String(id);
  throw new Error(`an id is ${say(id)}, not a number.`);
}

function known<T>(parts: ReadonlyMap<string, T>, id: string): T {
  const found = parts.get(id);
  if (found === undefined) throw new Error(`nothing has the id ${id}.`);
  return found;
}

function part(parts: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const found = parts.get(name);
  if (found === undefined) throw new Error(`its part ${quote(name)} is missing.`);
  return found;
}
