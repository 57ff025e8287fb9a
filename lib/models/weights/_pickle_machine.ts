import type { PickleRules } from "./_pickle.ts";

/**
 * Bytes that making a container is worth. Python writes at least as many for one, its place in the
 * memo among them, so that objects, which cost much more memory, are as few as the bytes warrant.
 */
const worth = { dict: 6, list: 4, tuple: 3 };
/** What a pickle may make before its bytes are counted. */
const FREE_WORK = 1024;
const NAME_LENGTH = 256;

/** What a pickle is read with: the bytes and where one is in them, the stack, the memo. */
export class Machine {
  readonly rules: PickleRules;
  readonly memo = new Map<number, unknown>();
  position: number;
  readonly end: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #marked: unknown[][] = [];
  readonly #start: number;
  #stack: unknown[] = [];
  #spent = 0;

  constructor(
    bytes: Uint8Array,
    { start, rules }: { readonly start: number; readonly rules: PickleRules },
  ) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#start = start;
    this.position = start;
    this.end = bytes.length;
    this.rules = rules;
  }

  /** Moves over `length` bytes and returns where they begin. */
  advance(length: number): number {
    const at = this.position;
    if (length > this.end - at) {
      throw new Error(`${length} bytes are claimed, ${this.end - at} are left.`);
    }
    this.position = at + length;
    return at;
  }

  byte(): number {
    return this.#bytes[this.advance(1)]!;
  }

  take(length: number): Uint8Array {
    const at = this.advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  uint16(): number {
    return this.#view.getUint16(this.advance(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.advance(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.advance(4), true);
  }

  float64BigEndian(): number {
    return this.#view.getFloat64(this.advance(8), false);
  }

  line(): string {
    const length = this.#bytes.subarray(this.position, this.position + NAME_LENGTH).indexOf(0x0a);
    if (length < 0) throw new Error(`a name is longer than ${NAME_LENGTH} bytes or cut off.`);
    return decode(this.take(length + 1).subarray(0, length));
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  pop(): unknown {
    if (this.#stack.length === 0) throw new Error("the stack is empty.");
    return this.#stack.pop();
  }

  peek(): unknown {
    const value = this.pop();
    this.push(value);
    return value;
  }

  /** The value of the whole pickle. */
  last(): unknown {
    const value = this.pop();
    const left = this.#stack.length + this.#marked.length;
    if (left > 0) throw new Error(`${left} values or marks are left over.`);
    return value;
  }

  mark(): void {
    this.#marked.push(this.#stack);
    this.#stack = [];
  }

  /** Counts what was made, so that time and memory stay linear in the bytes read. */
  spend(work: number): void {
    this.#spent += work;
    if (this.#spent > this.position - this.#start + FREE_WORK) {
      throw new Error("it makes more objects than its length warrants.");
    }
  }

  /** Pushes a new container. */
  make(kind: keyof typeof worth, value: unknown): void {
    this.spend(worth[kind]);
    this.push(value);
  }

  /** The values since the last mark. */
  popToMark(): unknown[] {
    const values = this.#stack;
    const below = this.#marked.pop();
    if (below === undefined) throw new Error("there is no mark.");
    this.#stack = below;
    return values;
  }

  recall(index: number): void {
    if (!this.memo.has(index)) throw new Error(`there is nothing in memo ${index}.`);
    this.push(this.memo.get(index));
  }
}

/** The text of a pickle, which is UTF-8. */
export function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}
