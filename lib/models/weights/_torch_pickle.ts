import type { Dtype } from "../../tensor/mod.ts";
import {
  type Foreign,
  isForeign,
  type PickleGlobal,
  type PickleRules,
  say,
  setKey,
} from "./_pickle.ts";

/** A storage that a pickle mentions: `length` items that lie elsewhere in the file. */
export interface StorageRef {
  readonly key: string;
  readonly type: StorageType;
  /** Items of the whole storage. */
  readonly length: number;
  /** The first item of it that a view sees; 0 for the storage itself. */
  readonly offset: number;
}

/** A class of torch's storages. */
export interface StorageType {
  readonly name: string;
  /** Bytes of an item. */
  readonly itemSize: number;
  /** Undefined where the items are no numbers that are read, as complex or quantised ones. */
  readonly dtype: Dtype | undefined;
}

/** A tensor before its numbers are read: a strided window on a storage, counted in items. */
export interface TensorRef {
  readonly storage: StorageRef;
  readonly dtype: Dtype;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

const storageTypes: readonly StorageType[] = ([
  ["torch FloatStorage", 4, "F32"],
  ["torch HalfStorage", 2, "F16"],
  ["torch BFloat16Storage", 2, "BF16"],
  ["torch DoubleStorage", 8, "F64"],
  ["torch LongStorage", 8, "I64"],
  ["torch IntStorage", 4, "I32"],
  ["torch ShortStorage", 2, "I16"],
  ["torch CharStorage", 1, "I8"],
  ["torch ByteStorage", 1, "U8"],
  ["torch BoolStorage", 1, "BOOL"],
  ["torch ComplexDoubleStorage", 16],
  ["torch ComplexFloatStorage", 8],
  ["torch QInt32Storage", 4],
  ["torch QInt8Storage", 1],
  ["torch QUInt8Storage", 1],
  ["torch QUInt4x2Storage", 1],
  ["torch QUInt2x4Storage", 1],
  ["torch.storage UntypedStorage", 1],
] as const).map(([name, itemSize, dtype]) => ({ name, itemSize, dtype }));

const tensorTypes = ["Float", "Half", "BFloat16", "Double", "Long", "Int", "Short", "Char", "Byte"]
  .map((name) => ({ name: `torch ${name}Tensor` }));
const tensorClass: PickleGlobal = { name: "torch Tensor" };

const functions: readonly PickleGlobal[] = [
  { name: "collections OrderedDict", call: orderedDict },
  { name: "torch._utils _rebuild_tensor", call: rebuildTensor },
  { name: "torch._utils _rebuild_tensor_v2", call: rebuildTensor2 },
  { name: "torch._utils _rebuild_tensor_v3", call: rebuildTensor3 },
  { name: "torch._utils _rebuild_parameter", call: rebuildParameter },
  { name: "torch._utils _rebuild_parameter_with_state", call: rebuildParameter },
  { name: "torch._tensor _rebuild_from_type_v2", call: rebuildFromType },
];

const globals: ReadonlyMap<string, PickleGlobal> = new Map(
  [...storageTypes, ...tensorTypes, tensorClass, ...functions].map((found) => [found.name, found]),
);

const MAX_DIMENSIONS = 64;

/**
 * The rules of pickles that torch.save writes; the mentioned storages are collected in `storages`.
 */
export function torchRules(storages: Map<string, StorageRef>): PickleRules {
  return { globals, persistentLoad: (id) => resolveStorage(id, storages) };
}

/** Checks that a value of a pickle is a class of storages. */
export function storageTypeOf(value: unknown): StorageType {
  const found = storageTypes.find((type) => type === value);
  if (found === undefined) throw new Error(`a storage is of the type ${say(value)}, not torch's.`);
  return found;
}

/** Checks that a value of a pickle is a non-negative integer. */
export function count(value: unknown, what: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`${what} is ${say(value)}, not a whole number from 0 on.`);
}

/** A list of such integers; a tuple is not copied, since it may be used again and again. */
export function counts(value: unknown, what: string): readonly number[] {
  if (!Array.isArray(value) || value.length > MAX_DIMENSIONS) {
    throw new Error(`${what} is ${say(value)}, not at most ${MAX_DIMENSIONS} numbers.`);
  }
  for (const extent of value) count(extent, what);
  return Object.isFrozen(value) ? value : [...value];
}

/** Whether a value of a pickle is a tensor. */
export function isTensor(value: unknown): value is TensorRef {
  return typeof value === "object" && value !== null && "strides" in value;
}

/**
 * A window on a storage as a tensor, or {@linkcode Foreign} where its items are no numbers that are
 * read.
 */
export function tensorOn(
  storage: StorageRef,
  { offset, size, stride }: {
    readonly offset: unknown;
    readonly size: unknown;
    readonly stride: unknown;
  },
): TensorRef | Foreign {
  const shape = counts(size, "the tensor's size");
  const strides = counts(stride, "the tensor's stride");
  if (shape.length !== strides.length) {
    throw new Error("a tensor's size and stride differ in length.");
  }
  const first = storage.offset + count(offset, "the tensor's offset");
  const { dtype } = storage.type;
  if (dtype === undefined) return { foreign: `a tensor on a "${storage.type.name}"` };
  return { storage, dtype, offset: first, shape, strides };
}

/**
 * ("storage", storage type, key, location, items) or, in old files, with a view (key, offset, items);
 * ("module", class, file, source) where a whole model was saved.
 */
function resolveStorage(id: unknown, storages: Map<string, StorageRef>): StorageRef | Foreign {
  if (Array.isArray(id) && id[0] === "module") return { foreign: `a model's class: ${say(id[1])}` };
  if (!Array.isArray(id) || id[0] !== "storage") {
    throw new Error(`the persistent id ${say(id)} is no storage.`);
  }
  const [, typeGlobal, key, , length, view] = id;
  if (typeof key !== "string") throw new Error(`the storage's key is ${say(key)}, not a string.`);
  const type = storageTypeOf(typeGlobal);
  const known = storages.get(key);
  const storage = known ?? { key, type, length: count(length, "the storage's length"), offset: 0 };
  if (storage.type !== type || storage.length !== length) {
    throw new Error(`the storage ${say(key)} is described in two ways.`);
  }
  storages.set(key, storage);
  if (view === undefined || view === null) return storage;
  if (!Array.isArray(view)) throw new Error(`the view of storage ${say(key)} is ${say(view)}.`);
  return { ...storage, offset: count(view[1], "the view's offset") };
}

/** Arguments: storage, offset, size, stride. */
function rebuildTensor(args: readonly unknown[]): TensorRef | Foreign {
  requireArguments(args, [4]);
  const [storage, offset, size, stride] = args;
  if (isForeign(storage)) return storage;
  if (!isStorage(storage)) throw new Error(`a tensor stands on ${say(storage)}, not a storage.`);
  return tensorOn(storage, { offset, size, stride });
}

/** Besides: requires_grad, backward hooks and, where they are set, negative and conjugate bit. */
function rebuildTensor2(args: readonly unknown[]): TensorRef | Foreign {
  requireArguments(args, [6, 7]);
  const [, , , , requiresGrad, hooks, metadata = null] = args;
  const tensor = rebuildTensor(args.slice(0, 4));
  requireFlag(requiresGrad);
  if (!isEmpty(hooks)) return { foreign: "a tensor with hooks" };
  if (isEmpty(metadata)) return tensor;
  const bits = metadata instanceof Map
    ? [...metadata.keys()].slice(0, 8).map(say).join(" and ")
    : "";
  return { foreign: `a tensor with the metadata ${bits || say(metadata)}` };
}

/** The number formats that torch has had since 2.3: unsigned integers, and floats of eight bits. */
function rebuildTensor3(args: readonly unknown[]): Foreign {
  requireArguments(args, [7, 8]);
  return { foreign: `a tensor of a format that is not read (${say(args[6])})` };
}

/** Arguments: tensor, requires_grad, backward hooks and, where it has any, its attributes. */
function rebuildParameter(args: readonly unknown[]): TensorRef | Foreign {
  requireArguments(args, [3, 4]);
  const [tensor, requiresGrad, hooks, state = null] = args;
  if (isForeign(tensor)) return tensor;
  if (!isTensor(tensor)) throw new Error(`a parameter is made of ${say(tensor)}, not a tensor.`);
  requireFlag(requiresGrad);
  if (!isEmpty(hooks)) return { foreign: "a parameter with hooks" };
  return isHarmless(state) ? tensor : { foreign: "a parameter with a state" };
}

/** Arguments: the function that rebuilds, the class, the function's arguments, the attributes. */
function rebuildFromType(args: readonly unknown[]): unknown {
  requireArguments(args, [4]);
  const [rebuild, type, inner, state] = args;
  const known = functions.find((global) => global === rebuild);
  if (type !== tensorClass) return { foreign: `a tensor of a class of its own: ${say(type)}` };
  if (known?.call === undefined || !Array.isArray(inner)) return { foreign: say(rebuild) };
  return isHarmless(state) ? known.call(inner) : { foreign: "a tensor with a state" };
}

/** Attributes that are no tensors cannot change the numbers, as an attribute `data` would. */
function isHarmless(state: unknown): boolean {
  if (state === null) return true;
  return state instanceof Map &&
    ![...state.values()].some((value) => isTensor(value) || isForeign(value));
}

/** OrderedDict() or, from Python 2, OrderedDict([[key, value], ...]). */
function orderedDict(args: readonly unknown[]): Map<unknown, unknown> {
  const dict = new Map<unknown, unknown>();
  const [items = []] = args;
  if (!Array.isArray(items)) throw new Error(`an OrderedDict is made of ${say(items)}.`);
  for (const item of items) {
    if (!Array.isArray(item) || item.length !== 2) throw new Error("an item is no pair.");
    setKey(dict, { key: item[0], value: item[1] });
  }
  return dict;
}

function requireArguments(args: readonly unknown[], allowed: readonly number[]): void {
  if (allowed.includes(args.length)) return;
  throw new Error(`a tensor is made of ${args.length} values, not ${allowed.join(" or ")}.`);
}

function requireFlag(requiresGrad: unknown): void {
  if (typeof requiresGrad === "boolean") return;
  throw new Error(`a tensor's requires_grad is ${say(requiresGrad)}, not true or false.`);
}

function isEmpty(value: unknown): boolean {
  return value === null || (value instanceof Map && value.size === 0);
}

function isStorage(value: unknown): value is StorageRef {
  return typeof value === "object" && value !== null && "type" in value && "length" in value;
}
