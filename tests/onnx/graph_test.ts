import { deepEqual, equal, throws } from "node:assert/strict";
import { createGraph, float, openSession } from "../../lib/onnx/mod.ts";
import { tensor } from "../../lib/tensor/mod.ts";
import { decode, encode, type Schema } from "../../lib/onnx/_protobuf.ts";

const schema: Schema = {
  count: { number: 1, type: "int64" },
  label: { number: 2, type: "string" },
  scale: { number: 3, type: "float" },
  sizes: { number: 4, type: "int64", repeated: true },
  part: { number: 16, type: { raw: { number: 1, type: "bytes" } } },
};

Deno.test("encode() writes the bytes of the protobuf documentation", () => {
  deepEqual([...encode({ count: 150 }, schema)], [0x08, 0x96, 0x01]);
  deepEqual([...encode({ label: "testing" }, schema)], [
    0x12,
    7,
    ...new TextEncoder().encode("testing"),
  ]);
  deepEqual([...encode({ count: -1 }, schema)], [8, ...Array(9).fill(0xff), 1]);
  deepEqual([...encode({ sizes: [3, 270] }, schema)], [0x22, 3, 3, 0x8e, 0x02]);
});

Deno.test("encode() keeps the greatest whole number of 64 bits, which is no double", () => {
  const greatest = [8, ...Array(8).fill(0xff), 0x7f];
  const { count } = decode(Uint8Array.from(greatest), schema);
  deepEqual([...encode({ count }, schema)], greatest);
});

Deno.test("decode() inverts encode() and skips fields it does not know", () => {
  const message = {
    count: 2 ** 40,
    label: "ü",
    scale: 0.5,
    sizes: [3, -4, 300],
    part: { raw: Uint8Array.of(0, 1, 2) },
  };
  const bytes = encode(message, schema);
  deepEqual(decode(bytes, schema), message);
  deepEqual(decode(bytes, { label: schema["label"]! }), { label: "ü" });
});

Deno.test("decode() reads packed lists", () => {
  deepEqual(decode(Uint8Array.of(0x22, 4, 3, 0x8e, 0x02, 7), schema), { sizes: [3, 270, 7] });
});

Deno.test("decode() refuses bytes that are cut off, and wire types out of use", () => {
  const bytes = encode({ label: "testing" }, schema);
  throws(() => decode(bytes.subarray(0, 5), schema), /cut off/);
  throws(() => decode(Uint8Array.of(0x08), schema), /cut off/);
  throws(() => decode(Uint8Array.of(0x7b), schema), /wire type 3/);
  throws(() => decode(Uint8Array.of(8, ...Array(11).fill(0xff)), schema), /more than ten bytes/);
});

Deno.test("createGraph() computes with constants, attributes and several outputs", async () => {
  const graph = createGraph("affine");
  const x = graph.input("x", ["rows", 2]);
  const weight = graph.constant(tensor([2, 2], Float32Array.of(1, 2, 3, 4)));
  const y = graph.node("Gemm", [x, weight, undefined], { alpha: float(2), transB: 1 });
  const [left, right] = graph.nodes("Split", [y, graph.integers([1, 1])], {
    outputs: 2,
    attributes: { axis: 1 },
  });
  graph.output(y, "y", ["rows", 2]);
  graph.output(graph.node("Add", [left, graph.scalar(0.5)]), "left");
  graph.output(graph.node("LeakyRelu", [right], { alpha: 0.25 }), "right");
  const session = await openSession(graph.build());
  const feeds = { x: tensor([2, 2], Float32Array.of(1, 0, 0, -1)) };
  const results = await session.run(feeds, ["y", "left", "right"]);
  await session.close();
  deepEqual(results.y, tensor([2, 2], Float32Array.of(2, 6, -4, -8)));
  deepEqual([...results.left.data], [2.5, -3.5]);
  deepEqual([...results.right.data], [6, -2]);
});

Deno.test("GraphBuilder.output() gives one value several names", async () => {
  const graph = createGraph("names");
  const x = graph.input("x", [2]);
  const y = graph.node("Neg", [x]);
  for (const name of ["a", "b"]) graph.output(y, name);
  graph.output(x, "same");
  const session = await openSession(graph.build());
  const results = await session.run({ x: tensor([2], Float32Array.of(1, -2)) }, ["a", "b", "same"]);
  await session.close();
  deepEqual([...results.a.data], [-1, 2]);
  deepEqual(results.a, results.b);
  equal(results.same.data[1], -2);
});
