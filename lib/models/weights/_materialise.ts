import { quote } from "../../files/mod.ts";
import { type Tensor, tensor, toFloat32 } from "../../tensor/mod.ts";
import type { StorageRef, TensorRef } from "./_torch_pickle.ts";

/**
 * Copies of strided tensors may take together this many times the items of the storages in use (and
 * a million besides), so that a short file cannot claim a large result by strides of 0. A state dict
 * that was transposed throughout takes them once.
 */
const MAX_COPIES = 2;
const FREE_COPIES = 1 << 20;

/** The items of a storage as they lie in the file. */
export interface StorageItems {
  readonly ref: StorageRef;
  readonly bytes: Uint8Array;
}

/**
 * Reads the numbers of tensors out of their storages. A contiguous tensor is a view on its
 * storage, shared as in the file; another one is copied into row-major order. Storages that no
 * tensor uses are not read.
 *
 * @throws {Error} when a storage has another length than claimed, a tensor reaches beyond its
 * storage, a number does not fit float32, or the copies take more than the storages justify.
 */
export function materialise(
  tensors: ReadonlyMap<string, TensorRef>,
  items: readonly StorageItems[],
): ReadonlyMap<string, Tensor> {
  const byKey = new Map(items.map((storage) => [storage.ref.key, storage]));
  const numbers = new Map<string, Float32Array>();
  const claims: { name: string; ref: TensorRef; storage: Float32Array; size: number }[] = [];
  for (const [name, ref] of tensors) {
    const { key } = ref.storage;
    const storage = numbers.get(key) ?? numbersOf(name, { ref, items: byKey.get(key) });
    numbers.set(key, storage);
    const size = ref.shape.reduce((product, extent) => product * extent, 1);
    requireWithin(name, { ref, size, length: storage.length });
    claims.push({ name, ref, storage, size });
  }
  const used = numbers.values().reduce((sum, { length }) => sum + length, 0);
  let copies = FREE_COPIES + MAX_COPIES * used;
  return new Map(claims.map(({ name, ref, storage, size }) => {
    if (isContiguous(ref)) {
      return [name, tensor(ref.shape, storage.subarray(ref.offset, ref.offset + size))];
    }
    copies -= size;
    if (!(copies >= 0)) throw new Error(`the tensor ${quote(name)} repeats its storage too often.`);
    return [name, tensor(ref.shape, gather(ref, { storage, size }))];
  }));
}

function numbersOf(
  name: string,
  { ref, items }: { readonly ref: TensorRef; readonly items: StorageItems | undefined },
): Float32Array {
  const { key, type, length } = ref.storage;
  if (items === undefined) throw new Error(`the storage ${quote(key)} is missing.`);
  if (items.bytes.length !== length * type.itemSize) {
    const found = items.bytes.length / type.itemSize;
    throw new Error(`the storage ${quote(key)} has ${found} items, not ${length}.`);
  }
  try {
    return toFloat32(items.bytes, ref.dtype);
  } catch (cause) {
    throw new Error(`the tensor ${quote(name)}: ${(cause as Error).message}`, { cause });
  }
}

function requireWithin(
  name: string,
  { ref, size, length }: {
    readonly ref: TensorRef;
    readonly size: number;
    readonly length: number;
  },
): void {
  const { shape, strides, offset } = ref;
  const reach = size === 0 ? 0 : shape.reduce(
    (last, extent, i) => last + (extent - 1) * strides[i]!,
    offset + 1,
  );
  if (reach <= length) return;
  throw new Error(`the tensor ${quote(name)} reaches to item ${reach} of ${length}.`);
}

function isContiguous({ shape, strides }: TensorRef): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== expected) return shape.includes(0);
    expected *= shape[i]!;
  }
  return true;
}

function gather(
  { shape, strides, offset }: TensorRef,
  { storage, size }: { readonly storage: Float32Array; readonly size: number },
): Float32Array {
  const gathered = new Float32Array(size);
  const index = new Array<number>(shape.length).fill(0);
  let at = offset;
  for (let i = 0; i < size; i++) {
    gathered[i] = storage[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return gathered;
}
