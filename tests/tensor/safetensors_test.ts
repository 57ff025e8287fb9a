import assert from "node:assert/strict";
import { createRandom, readSafetensors, tensor, writeSafetensors } from "../../lib/tensor/mod.ts";

const fixtures = new URL("../fixtures/tensor/", import.meta.url);

/** A file with this header and `dataLength` zero bytes. */
function file(header: unknown, dataLength = 0): Uint8Array {
  const json = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const bytes = new Uint8Array(8 + json.length + dataLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const f32 = (shape: number[], begin: number, end: number) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});

Deno.test("readSafetensors() reads every dtype as the Python library wrote it", async () => {
  const { tensors, metadata } = readSafetensors(
    await Deno.readFile(new URL("reference.safetensors", fixtures)),
  );
  const expected = JSON.parse(
    await Deno.readTextFile(new URL("reference.json", fixtures)),
  ) as Record<string, { shape: number[]; values: string[] }>;
  assert.deepEqual([...tensors.keys()].sort(), Object.keys(expected).sort());
  for (const [name, { shape, values }] of Object.entries(expected)) {
    assert.deepEqual(tensors.get(name)!.shape, shape, name);
    const numbers = values.map((value) => value.includes("inf") ? Infinity : Number(value));
    assert.deepEqual(tensors.get(name)!.data, Float32Array.from(numbers), name);
  }
  assert.deepEqual(metadata, { format: "pt" });
});

Deno.test("readSafetensors() reads bytes at any alignment", async () => {
  const bytes = await Deno.readFile(new URL("reference.safetensors", fixtures));
  for (const shift of [1, 2, 3]) {
    const shifted = new Uint8Array(bytes.length + shift);
    shifted.set(bytes, shift);
    assert.deepEqual(readSafetensors(shifted.subarray(shift)), readSafetensors(bytes));
  }
});

Deno.test("writeSafetensors() and readSafetensors() round-trip float32 exactly", () => {
  const random = createRandom(1);
  const data = Float32Array.from({ length: 24 }, () => random.normal());
  const tensors = new Map([
    ["b.weight", tensor([2, 3, 4], data)],
    ["a", tensor([], Float32Array.of(-0))],
    ['odd "name" \\ {', tensor([0, 2], new Float32Array())],
  ]);
  const bytes = writeSafetensors(tensors, { note: "x" }, { dtype: "F32" });
  const read = readSafetensors(bytes);
  assert.deepEqual(new Map([...read.tensors].sort()), new Map([...tensors].sort()));
  assert.deepEqual(read.metadata, { note: "x" });
  const reversed = new Map([...tensors].reverse());
  assert.deepEqual(writeSafetensors(reversed, { note: "x" }, { dtype: "F32" }), bytes);
});

Deno.test("writeSafetensors() and readSafetensors() agree on any names, shapes and numbers", () => {
  const random = createRandom("safetensors");
  // None ends in a backslash: after such a key V8 15.0's JSON.parse misreads others with escapes.
  const endings = ["", ".weight", '"', "\\x", "é\ud83d\ude00", "\n", "__proto__"];
  for (let round = 0; round < 100; round++) {
    const tensors = new Map(Array.from({ length: random.integer(6) }, (_, i) => {
      const shape = Array.from({ length: random.integer(5) }, () => random.integer(4));
      const size = shape.reduce((product, extent) => product * extent, 1);
      // Halves of small integers are exact in both formats.
      const data = Float32Array.from({ length: size }, () => (random.integer(2000) - 1000) / 2);
      const name = `${i}${random.pick(endings)}`;
      return [name, tensor(shape, data)];
    }));
    const metadata = Object.fromEntries([["note", "x"]].slice(random.integer(2)));
    for (const dtype of ["F32", "F16"] as const) {
      const read = readSafetensors(writeSafetensors(tensors, metadata, { dtype }));
      assert.deepEqual(new Map([...read.tensors].sort()), new Map([...tensors].sort()));
      assert.deepEqual(read.metadata, metadata);
    }
  }
});

Deno.test("writeSafetensors() rounds to float16 and refuses what does not fit", () => {
  // 1 + 2^-11 lies halfway between 1 and 1 + 2^-10: to even is 1.
  const values = Float32Array.of(1 + 2 ** -11, 1 + 3 * 2 ** -11, 65504, -Infinity);
  const bytes = writeSafetensors(new Map([["x", tensor([4], values)]]), {}, { dtype: "F16" });
  assert.deepEqual(
    [...readSafetensors(bytes).tensors.get("x")!.data],
    [1, 1 + 2 ** -9, 65504, -Infinity],
  );
  assert.throws(
    () =>
      writeSafetensors(new Map([["x", tensor([1], Float32Array.of(7e4))]]), {}, { dtype: "F16" }),
    /tensor "x" as F16: number 70000/,
  );
});

Deno.test("readSafetensors() refuses every malformed file with its reason", () => {
  const claim = (length: bigint) => {
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setBigUint64(0, length, true);
    return bytes;
  };
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(7), /has 7 bytes/],
    [claim(9n), /claims 9 bytes, the file has 16/],
    [claim(2n ** 64n - 1n), /4194304 are allowed/],
    [file("[]"), /not a JSON object/],
    [file('{"a":'), /not JSON/],
    [file("\ufeff{}"), /not JSON/],
    [file("[".repeat(1000)), /deeper than 3 levels/],
    [file('{"a":{"b":{"c":{}}}}'), /deeper than 3 levels/],
    [file('{"[[[[{{{{\\"[[[[":1}'), /not described by an object/],
    [file({ a: { ...f32([], 0, 4), shape: Array(65).fill(1) } }, 4), /not at most 64 extents/],
    [file({ ["n".repeat(1000)]: 1 }), /tensor "n{80}…" is not/],
    [
      file('{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"\\u0061":1}'),
      /"a" occurs twice/,
    ],
    [
      file('{"a":{"dtype":"F32","dtype":"F16","shape":[],"data_offsets":[0,2]}}', 2),
      /occurs twice/,
    ],
    [file({ a: 1 }), /not described by an object/],
    [file({ a: { ...f32([1], 0, 4), dtype: "F8" } }, 4), /dtype "F8"; allowed are F16/],
    [file({ a: { ...f32([1], 0, 4), dtype: "toString" } }, 4), /dtype "toString"/],
    [file({ a: f32([-1], 0, 4) }, 4), /shape \[-1\]/],
    [file({ a: f32([1.5], 0, 6) }, 6), /shape \[1.5\]/],
    [file({ a: f32([2], 0, 4) }, 4), /takes 8 bytes, its data_offsets give 4/],
    [file({ a: f32([2 ** 50, 2 ** 50, 0], 0, 4) }, 4), /takes 0 bytes/],
    [file({ a: f32([1], 4, 0) }, 4), /data_offsets \[4,0\]/],
    [file({ a: f32([1], 0, 4), b: f32([1], 0, 4) }, 4), /"b" begins at 0 and overlaps/],
    [file({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12), /"b" begins at 4 and overlaps/],
    [file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), /"b" begins at 8 and leaves a hole/],
    [file({ a: f32([2], 0, 8) }, 4), /ends at 8, the data at 4/],
    [file({ a: f32([1], 0, 4) }, 8), /end at 4, the data at 8/],
    [file({ a: f32([1], 0, 4), __metadata__: { n: 1 } }, 4), /__metadata__/],
  ];
  for (const [bytes, reason] of cases) assert.throws(() => readSafetensors(bytes), reason);
});

Deno.test("writeSafetensors() refuses a header that readSafetensors() would refuse", () => {
  const metadata = { note: "x".repeat(1 << 22) };
  assert.throws(() => writeSafetensors(new Map(), metadata, { dtype: "F32" }), {
    name: "RangeError",
    message: /header takes \d+ bytes, 4194304 are read back/,
  });
});
