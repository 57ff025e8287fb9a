import { listed, quote } from "../../files/mod.ts";
import { isForeign, say } from "./_pickle.ts";
import { isTensor, type TensorRef } from "./_torch_pickle.ts";

/** The tensors of a state dict, and what of the file is none of it. */
export interface FoundStateDict {
  readonly tensors: ReadonlyMap<string, TensorRef>;
  /** One clause each. */
  readonly remarks: readonly string[];
}

/** Under what names training scripts store a model's state dict, the first that is there counts. */
const names = [
  "state_dict",
  "model_state_dict",
  "model_state",
  "model",
  "module",
  "net",
  "network",
  "weights",
  "params",
  "state_dict_ema",
  "model_ema",
  "ema_state_dict",
  "ema",
];
const MAX_DEPTH = 4;
/** What a module adds to its state dict beside tensors, be it a dict of tensors. */
const extraState = "_extra_state";

/**
 * Finds the state dict in what a file holds: that itself, or a checkpoint's entry of a usual name, or
 * its only dict of tensors.
 *
 * @throws {Error} when there is none, or several (or tensors beside one) and none has a usual name, or
 * an entry of it is neither a tensor nor plain data.
 */
export function findStateDict(value: unknown): FoundStateDict {
  const remarks: string[] = [];
  let dict = requireDict(value);
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const inner = innerDict(dict);
    if (inner === undefined) break;
    const others = [...dict].filter(([name]) => name !== inner.name);
    const taken = `${quote(inner.name)} of the checkpoint is taken`;
    remarks.push(others.length === 0 ? taken : `${taken}, ${described(others)} left out`);
    dict = inner.dict;
  }
  const tensors = new Map<string, TensorRef>();
  const plain: [unknown, unknown][] = [];
  for (const [name, entry] of dict) {
    if (typeof name === "string" && isTensor(entry)) tensors.set(name, entry);
    else if (isForeign(entry) || isTensor(entry)) throw noTensor(name, entry);
    else plain.push([name, entry]);
  }
  const [first] = plain;
  if (first !== undefined && tensors.size === 0) throw noTensor(...first);
  if (first !== undefined) remarks.push(`of the state dict ${described(plain)} left out`);
  return { tensors, remarks };
}

function requireDict(value: unknown): ReadonlyMap<unknown, unknown> {
  if (value instanceof Map) return value;
  throw new Error(`it holds ${say(value)}, not a state dict; ${advice}`);
}

/** The dict of a checkpoint in which the state dict is to be looked for. */
function innerDict(dict: ReadonlyMap<unknown, unknown>) {
  const inner = [...dict].flatMap(([name, value]) =>
    typeof name === "string" && !name.endsWith(extraState) && value instanceof Map && value !== dict
      ? [{ name, dict: value }]
      : []
  );
  const withTensors = inner.filter((entry) => holdsTensors(entry.dict));
  const usual = names.flatMap((name) => withTensors.find((entry) => entry.name === name) ?? []);
  if (usual.length > 0) return usual[0];
  const holdsBoth = holdsTensors(dict) && withTensors.length > 0;
  if (holdsBoth || withTensors.length > 1) {
    const found = listed(withTensors.map(({ name }) => quote(name)));
    const what = `${withTensors.length} dicts of tensors (${found})`;
    throw new Error(`it holds ${holdsBoth ? "tensors and " : ""}${what}; ${advice}`);
  }
  if (holdsTensors(dict)) return undefined;
  return withTensors[0] ?? names.flatMap((name) => inner.find((e) => e.name === name) ?? [])[0];
}

function holdsTensors(dict: ReadonlyMap<unknown, unknown>): boolean {
  return dict.values().some(isTensor);
}

function described(entries: readonly (readonly [unknown, unknown])[]): string {
  return listed(entries.map(([name, value]) => `${say(name)} (${say(value)})`));
}

const advice = "save the state dict alone with torch.save(model.state_dict(), path).";

function noTensor(name: unknown, entry: unknown): Error {
  const what = isTensor(entry) ? "a tensor under a name that is no string" : say(entry);
  return new Error(`its entry ${say(name)} is ${what}, not a tensor that is read; ${advice}`);
}
