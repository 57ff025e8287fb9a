import type { Random } from "../../lib/tensor/mod.ts";

/** Numbers at which readers go wrong, in as many bytes as a field may have. */
const extremes = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

const changes: readonly ((bytes: Uint8Array, random: Random, donor: Uint8Array) => Uint8Array)[] = [
  cut,
  flip,
  flip,
  setNumber,
  setNumber,
  splice,
  fill,
  repeat,
  remove,
];

/** A damaged copy of a file: one to three random changes, among them pieces of another file. */
export function mutated(bytes: Uint8Array, random: Random, donor: Uint8Array): Uint8Array {
  let changed: Uint8Array = bytes.slice();
  for (let left = 1 + random.integer(3); left > 0; left--) {
    if (changed.length === 0) return changed;
    changed = random.pick(changes)(changed, random, donor);
  }
  return changed;
}

function cut(bytes: Uint8Array, random: Random): Uint8Array {
  return bytes.slice(0, random.integer(bytes.length));
}

function flip(bytes: Uint8Array, random: Random): Uint8Array {
  for (let left = 1 + random.integer(8); left > 0; left--) {
    bytes[position(bytes, random)]! ^= 1 << random.integer(8);
  }
  return bytes;
}

function setNumber(bytes: Uint8Array, random: Random): Uint8Array {
  const number = BigInt(random.pick(extremes));
  const width = random.pick([1, 2, 4, 8]);
  const isLittle = random.integer(2) === 0;
  const at = position(bytes, random);
  for (let i = 0; i < width && at + i < bytes.length; i++) {
    bytes[at + i] = Number(number >> BigInt(8 * (isLittle ? i : width - 1 - i)) & 0xffn);
  }
  return bytes;
}

function splice(bytes: Uint8Array, random: Random, donor: Uint8Array): Uint8Array {
  const tail = donor.subarray(random.integer(donor.length));
  return joined(bytes.subarray(0, random.integer(bytes.length)), tail);
}

function fill(bytes: Uint8Array, random: Random): Uint8Array {
  const at = position(bytes, random);
  return bytes.fill(random.pick([0, 0x20, 0x7f, 0xff]), at, at + 1 + random.integer(64));
}

function repeat(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.integer(bytes.length);
  const piece = bytes.subarray(at, at + 1 + random.integer(200));
  const times = 1 + random.integer(20);
  return joined(bytes.subarray(0, at), ...Array(times).fill(piece), bytes.subarray(at));
}

function remove(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.integer(bytes.length);
  return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + random.integer(64)));
}

/** Half of the time among the first or last bytes, where headers and directories are. */
function position(bytes: Uint8Array, random: Random): number {
  const near = random.integer(Math.min(bytes.length, 200));
  return random.pick([near, bytes.length - 1 - near, random.integer(bytes.length)]);
}

/** Byte arrays one after another. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
