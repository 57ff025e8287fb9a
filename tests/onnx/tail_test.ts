import { deepEqual, throws } from "node:assert/strict";
import { UserError } from "../../lib/files/mod.ts";
import {
  createGraph,
  differentiableValues,
  differentiate,
  gradientName,
  openSession,
  tailOf,
} from "../../lib/onnx/mod.ts";
import { type Tensor, tensor } from "../../lib/tensor/mod.ts";

/** Two layers with a skip connection; "depth" is the value that both paths start from. */
function residual(): Uint8Array {
  const graph = createGraph("residual");
  const pixels = graph.input("pixels", ["batch", 2]);
  const depth = graph.node("Mul", [pixels, graph.constant(tensor([2], Float32Array.of(2, 3)))]);
  graph.output(depth, "depth", ["batch", 2]);
  const block = graph.node("Exp", [depth]);
  graph.output(block, "block", ["batch", 2]);
  // As an exporter writes the number of images, which it asks of the input.
  const rows = graph.node("Shape", [pixels], { start: 0, end: 1 });
  const shape = graph.node("Concat", [rows, graph.integers([2])], { axis: 0 });
  const sum = graph.node("Add", [depth, graph.node("Reshape", [block, shape])]);
  graph.output(graph.node("ReduceSum", [sum, graph.integers([1])]), "logits", ["batch", 1]);
  return graph.build();
}

async function runOnce(model: Uint8Array, feeds: Record<string, Tensor>, output: string) {
  const session = await openSession(model, { threads: 1 });
  const results = await session.run(feeds, [output]);
  await session.close();
  return [...results[output]!.data];
}

Deno.test("tailOf() computes from the inner value what the model computes from its input", async () => {
  const pixels = tensor([3, 2], Float32Array.of(0, 1, -1, 0.5, 0.25, 0));
  const depth = tensor([3, 2], Float32Array.of(0, 3, -2, 1.5, 0.5, 0));
  const tail = tailOf(residual(), { from: "depth", to: "logits" });
  deepEqual(
    await runOnce(tail, { depth }, "logits"),
    await runOnce(residual(), { pixels }, "logits"),
  );
  const gradient = differentiate(tail, { of: "logits", at: ["depth"] });
  const seed = tensor([3, 1], Float32Array.of(1, 1, 2));
  const expected = [0, 3, -2, 1.5, 0.5, 0]
    .map((value, i) => Math.fround(1 + Math.exp(value)) * (i < 4 ? 1 : 2));
  const feeds = { depth, [gradientName("logits")]: seed };
  const computed = await runOnce(gradient, feeds, gradientName("depth"));
  deepEqual(computed.map((value) => value.toPrecision(6)), expected.map((v) => v.toPrecision(6)));
});

Deno.test("tailOf() has the one input, and no constant of the head", () => {
  const tail = tailOf(residual(), { from: "depth", to: "logits" });
  const text = new TextDecoder("latin1").decode(tail);
  deepEqual(text.includes("pixels"), false);
  deepEqual(text.includes("constant_0"), false);
});

Deno.test("tailOf() refuses a value that a path goes around", () => {
  throws(
    () => tailOf(residual(), { from: "block", to: "logits" }),
    (error: Error) =>
      error instanceof UserError &&
      /logits depends on pixels by a path around block/.test(error.message),
  );
  throws(
    () => tailOf(residual(), { from: "depth", to: "pixels" }),
    /pixels does not depend on depth/,
  );
  throws(() => tailOf(residual(), { from: "nowhere", to: "logits" }), /no value nowhere/);
});

Deno.test("differentiableValues() lists what has a gradient, and where a tail can start", () => {
  const graph = createGraph("listed");
  const a = graph.input("a", ["batch", 3]);
  const det = graph.node("Det", [graph.node("Abs", [a])]);
  const left = graph.node("Exp", [det]);
  const right = graph.node("Tanh", [det]);
  const joined = graph.node("Concat", [left, right], { axis: 0 });
  graph.node("Neg", [joined]);
  graph.output(graph.node("Sigmoid", [joined]), "y");
  const values = differentiableValues(graph.build(), { of: "y" });
  deepEqual(values.map(({ operator, isBottleneck }) => [operator, isBottleneck]), [
    ["Det", true],
    ["Exp", false],
    ["Tanh", false],
    ["Concat", true],
    ["Sigmoid", true],
  ]);
  deepEqual(differentiableValues(residual(), { of: "logits" })[0], {
    name: "pixels",
    operator: undefined,
    shape: ["batch", 2],
    isBottleneck: true,
  });
});
