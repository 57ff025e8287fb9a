import { quote } from "../../files/mod.ts";
import { decode, Machine } from "./_pickle_machine.ts";
import { opcodeNames } from "./_pickle_opcodes.ts";

/**
 * A name that a pickle may mention. It is data: nothing is imported, and `call`, where there is
 * one, is our own code.
 */
export interface PickleGlobal {
  readonly name: string;
  readonly call?: (args: readonly unknown[]) => unknown;
}

/** What only the program that wrote a pickle could make: told by a description, never made. */
export interface Foreign {
  readonly foreign: string;
}

/** What a pickle may do beyond building plain data. */
export interface PickleRules {
  /** The allowed globals by "module name"; what others make is {@linkcode Foreign}. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** Resolves a persistent id, with which PyTorch refers to its storages. */
  readonly persistentLoad?: (id: unknown) => unknown;
}

/**
 * A state dict of 1,548 tensors (torchvision's longest, efficientnet_v2_l) is a pickle of 0.18 MB, and
 * a checkpoint of it with optimiser and moving average 0.58 MB.
 */
const MAX_BYTES = 4 << 20;
/**
 * Modules whose functions run what they are given. A file that names one is refused whole, though
 * nothing is imported or called in any case.
 */
const runsCode =
  /^(?:(?:os|posix|nt|sys|subprocess|commands|shutil|socket|importlib|runpy|pty|ctypes|webbrowser)[. ]|(?:builtins|__builtin__) (?:eval|exec|execfile|compile|open|getattr|apply|__import__)$)/;

/**
 * Reads one pickle of protocol 2 that begins at `start`, executing nothing: opcodes that are not on
 * a list are errors, and what globals that are not on a list make is {@linkcode Foreign}. Time and
 * memory are linear in the bytes read; nothing recurses. Tuples become frozen arrays, lists arrays,
 * dicts Maps, large integers bigint.
 *
 * @throws {Error} naming the opcode and its position.
 */
export function unpickle(
  bytes: Uint8Array,
  { start, rules }: { readonly start: number; readonly rules: PickleRules },
): { readonly value: unknown; readonly end: number } {
  const machine = new Machine(bytes.subarray(0, start + MAX_BYTES), { start, rules });
  while (true) {
    const at = machine.position;
    if (at >= machine.end) {
      throw new Error(
        `Reading a pickle: byte ${at} is reached without STOP; ${MAX_BYTES} bytes are allowed.`,
      );
    }
    const opcode = machine.byte();
    const step = steps[opcode];
    const name = opcodeNames[opcode] ?? `0x${opcode.toString(16)}`;
    if (step === undefined) {
      throw new Error(
        `Reading a pickle: opcode ${name} at byte ${at} is not allowed; save the weights ` +
          "as a plain state dict with torch.save(model.state_dict(), path).",
      );
    }
    try {
      step(machine);
      if (name === "STOP") return { value: machine.last(), end: machine.position };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`Reading a pickle: opcode ${name} at byte ${at}: ${reason}`, { cause });
    }
  }
}

/** What each allowed opcode does, by its byte. */
const steps: Readonly<Record<number, (m: Machine) => void>> = byName({
  STOP: () => {},
  PROTO: (m) => {
    const version = m.byte();
    if (version > 2) throw new Error(`protocol ${version} is not allowed; torch.save uses 2.`);
  },
  MARK: (m) => m.mark(),
  NONE: (m) => m.push(null),
  NEWTRUE: (m) => m.push(true),
  NEWFALSE: (m) => m.push(false),
  BININT: (m) => m.push(m.int32()),
  BININT1: (m) => m.push(m.byte()),
  BININT2: (m) => m.push(m.uint16()),
  LONG1: (m) => m.push(integer(m.take(m.byte()))),
  BINFLOAT: (m) => m.push(m.float64BigEndian()),
  BINUNICODE: (m) => m.push(decode(m.take(m.uint32()))),
  BINSTRING: (m) => m.push(decode(m.take(m.int32() >>> 0))),
  SHORT_BINSTRING: (m) => m.push(decode(m.take(m.byte()))),
  EMPTY_LIST: (m) => m.make("list", []),
  EMPTY_DICT: (m) => m.make("dict", new Map()),
  EMPTY_TUPLE: (m) => m.push(emptyTuple),
  TUPLE: (m) => m.make("tuple", Object.freeze(m.popToMark())),
  TUPLE1: (m) => m.make("tuple", Object.freeze([m.pop()])),
  TUPLE2: (m) => m.make("tuple", Object.freeze([m.pop(), m.pop()].reverse())),
  TUPLE3: (m) => m.make("tuple", Object.freeze([m.pop(), m.pop(), m.pop()].reverse())),
  APPEND: (m) => append(m, [m.pop()]),
  APPENDS: (m) => append(m, m.popToMark()),
  SETITEM: (m) => set(m, [m.pop(), m.pop()].reverse()),
  SETITEMS: (m) => set(m, m.popToMark()),
  BINPUT: (m) => void m.memo.set(m.byte(), m.peek()),
  LONG_BINPUT: (m) => void m.memo.set(m.uint32(), m.peek()),
  BINGET: (m) => m.recall(m.byte()),
  LONG_BINGET: (m) => m.recall(m.uint32()),
  GLOBAL: (m) => {
    const name = `${m.line()} ${m.line()}`;
    if (runsCode.test(name)) {
      throw new Error(`the global ${quote(name)} is not allowed; it could run code.`);
    }
    m.push(m.rules.globals.get(name) ?? { foreign: `what ${quote(name)} makes` });
  },
  REDUCE: (m) => {
    const args = m.pop();
    const callee = m.pop();
    if (isForeign(callee)) return m.push(callee);
    if (!isGlobal(m, callee) || callee.call === undefined || !Array.isArray(args)) {
      throw new Error("only an allowed function can be called, with a tuple of arguments.");
    }
    // A list among the arguments may be used again, and a call works on all of it.
    const work = args.reduce((sum, arg) => sum + (Array.isArray(arg) ? arg.length : 1), 0);
    m.spend(work);
    m.make("dict", callee.call(args));
  },
  NEWOBJ: (m) => {
    m.pop();
    const type = m.pop();
    if (isForeign(type)) return m.push(type);
    if (!isGlobal(m, type)) throw new Error("an object is made of no class.");
    m.push({ foreign: `what "${type.name}" makes` });
  },
  // The state of an OrderedDict is the attribute _metadata of a state dict, of which we need none.
  BUILD: (m) => {
    m.pop();
    const built = m.peek();
    if (!(built instanceof Map || isForeign(built))) {
      throw new Error("only a dict can be given a state.");
    }
  },
  BINPERSID: (m) => {
    if (m.rules.persistentLoad === undefined) throw new Error("no persistent id is expected here.");
    m.push(m.rules.persistentLoad(m.pop()));
  },
});

const emptyTuple: readonly unknown[] = Object.freeze([]);

function byName(named: Readonly<Record<string, (m: Machine) => void>>) {
  const bytes = Object.keys(opcodeNames).map(Number);
  return Object.fromEntries(
    Object.entries(named).map(([name, step]) => [
      bytes.find((byte) => opcodeNames[byte] === name)!,
      step,
    ]),
  );
}

function isGlobal(m: Machine, value: unknown): value is PickleGlobal {
  return typeof value === "object" && value !== null && "name" in value &&
    m.rules.globals.get(String(value.name)) === value;
}

/** Whether a value is {@linkcode Foreign}. */
export function isForeign(value: unknown): value is Foreign {
  return typeof value === "object" && value !== null && "foreign" in value;
}

function append(m: Machine, values: readonly unknown[]): void {
  const list = m.peek();
  if (isForeign(list)) return;
  if (!Array.isArray(list) || Object.isFrozen(list)) throw new Error("there is no list to extend.");
  for (const value of values) list.push(value);
}

function set(m: Machine, items: readonly unknown[]): void {
  const dict = m.peek();
  if (isForeign(dict)) return;
  if (!(dict instanceof Map) || items.length % 2 !== 0) throw new Error("there is no dict to set.");
  for (let i = 0; i < items.length; i += 2) {
    setKey(dict, { key: items[i], value: items[i + 1] });
  }
}

/** Sets a new key; a dict that was pickled never names one twice. */
export function setKey(
  dict: Map<unknown, unknown>,
  { key, value }: { readonly key: unknown; readonly value: unknown },
): void {
  if (dict.has(key)) throw new Error(`the key ${say(key)} occurs twice.`);
  dict.set(key, value);
}

/** A short description of a value for messages; never walks into it. */
export function say(value: unknown): string {
  if (value instanceof Map) return `a dict of ${value.size}`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "string") return quote(value);
  if (isForeign(value)) return value.foreign;
  if (typeof value === "object" && value !== null) {
    return "name" in value ? `"${value.name}"` : "shape" in value ? "a tensor" : "a storage";
  }
  return String(value).slice(0, 80);
}

/** Two's complement, little-endian; a number where that is exact. */
function integer(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (const byte of bytes.toReversed()) value = value << 8n | BigInt(byte);
  const signed = BigInt.asIntN(8 * bytes.length, value);
  const number = Number(signed);
  return Number.isSafeInteger(number) ? number : signed;
}
