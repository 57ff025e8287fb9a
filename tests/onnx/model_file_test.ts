import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { createGraph, openSession, readOnnx, withOutputs } from "../../lib/onnx/mod.ts";
import { tensor } from "../../lib/tensor/mod.ts";
import { modelSchema } from "../../lib/onnx/_schema.ts";
import { encode } from "../../lib/onnx/_protobuf.ts";

const small = { dims: [2], data_type: 1, name: "small", float_data: [0.5, -1] };
const node = {
  op_type: "Constant",
  output: ["inline"],
  attribute: [{ name: "value", type: 4, t: { dims: [], data_type: 1, float_data: [7] } }],
};
const beside = {
  dims: [2],
  data_type: 1,
  name: "beside",
  data_location: 1,
  external_data: [
    { key: "location", value: "weights.bin" },
    { key: "offset", value: "4" },
    { key: "length", value: "8" },
  ],
};
/** 0.5 and -2 in IEEE 754 half precision, little-endian. */
const halves = {
  dims: [2],
  data_type: 10,
  name: "halves",
  raw_data: Uint8Array.of(0x00, 0x38, 0x00, 0xc0),
};
const counts = { dims: [1], data_type: 7, name: "counts", raw_data: new Uint8Array(8) };

Deno.test("readOnnx() describes inputs, outputs and nodes", () => {
  const graph = createGraph("described");
  const x = graph.input("x", ["batch", 3, 8, 8]);
  graph.output(graph.node("ReduceMean", [x, graph.integers([2, 3])], { keepdims: 0 }), "y");
  const file = readOnnx(graph.build());
  deepEqual(file.inputs, [
    { name: "x", isFloat32: true, type: "float", shape: [undefined, 3, 8, 8] },
  ]);
  deepEqual(file.opset, 20);
  deepEqual(file.outputs, ["y"]);
  const { operator, inputs } = file.producers.get("y")!;
  const mean = file.producers.get(inputs[0]!)!;
  deepEqual([operator, mean.operator, mean.attributes], [
    "Identity",
    "ReduceMean",
    { keepdims: 0 },
  ]);
});

Deno.test("OnnxFile.constant() reads floats in every place where ONNX keeps them", async () => {
  const folder = await Deno.makeTempDir();
  const bytes = new Uint8Array(Float32Array.of(9, 1.5, -2).buffer);
  await Deno.writeFile(`${folder}/weights.bin`, bytes);
  const graph = { node: [node], initializer: [small, beside, counts, halves] };
  const file = readOnnx(encode({ graph }, modelSchema));
  deepEqual(await file.constant("small", folder), tensor([2], Float32Array.of(0.5, -1)));
  deepEqual(await file.constant("inline", folder), tensor([], Float32Array.of(7)));
  deepEqual(await file.constant("beside", folder), tensor([2], Float32Array.of(1.5, -2)));
  equal(file.isConstant("x"), false);
  deepEqual(await file.constant("halves", folder), tensor([2], Float32Array.of(0.5, -2)));
  await rejects(file.constant("counts", folder), /"counts" holds no 32-bit or 16-bit floats/);
  await Deno.writeFile(`${folder}/weights.bin`, bytes.subarray(0, 10));
  await rejects(file.constant("beside", folder), /weights\.bin" ends before constant "beside"/);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("readOnnx() refuses what is no model", () => {
  throws(() => readOnnx(encode({ ir_version: 9 }, modelSchema)), /no ONNX graph/);
  throws(() => readOnnx(new TextEncoder().encode("not a model")), RangeError);
});

Deno.test("withOutputs() exposes values inside a finished model", async () => {
  const graph = createGraph("inner");
  const doubled = graph.node("Mul", [graph.input("x", [2]), graph.scalar(2)]);
  graph.output(graph.node("Neg", [doubled]), "y");
  const session = await openSession(withOutputs(graph.build(), [doubled]));
  deepEqual(session.outputs, ["y", doubled]);
  const results = await session.run({ x: tensor([2], Float32Array.of(1, 2)) }, ["y", doubled]);
  await session.close();
  deepEqual([...results[doubled]!.data], [2, 4]);
});
