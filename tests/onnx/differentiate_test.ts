import { deepEqual, ok, throws } from "node:assert/strict";
import { UserError } from "../../lib/files/mod.ts";
import {
  createGraph,
  differentiate,
  gradientName,
  type GraphBuilder,
  openSession,
  openTfjs,
  type Session,
  type Value,
} from "../../lib/onnx/mod.ts";
import { encode } from "../../lib/onnx/_protobuf.ts";
import { modelSchema } from "../../lib/onnx/_schema.ts";
import { type Tensor, tensor } from "../../lib/tensor/mod.ts";
import { formula } from "../models/_formula.ts";

/** A graph of the inputs a, b, ... of any shape and the output y. */
function graphOf(
  names: string,
  write: (graph: GraphBuilder, inputs: Value[]) => Value,
): Uint8Array {
  const graph = createGraph("test");
  const inputs = [...names].map((name) =>
    graph.input(name, [`rows of ${name}`, `columns of ${name}`])
  );
  graph.output(write(graph, inputs), "y");
  return graph.build();
}

async function runOnce(
  model: Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
  outputs: readonly string[],
): Promise<Tensor[]> {
  const session: Session = await openSession(model, { threads: 1 });
  const results = await session.run(feeds, outputs);
  await session.close();
  return outputs.map((name) => results[name]!);
}

const uniform = (name: string, shape: readonly number[]) =>
  tensor(shape, formula(name, { size: shape.reduce((a, b) => a * b, 1), factor: 1 }));

Deno.test("differentiate() gives the gradients that a hand computes", async () => {
  // y = a² b + a, so 2ab + 1 and a².
  const model = graphOf(
    "ab",
    (graph, [a, b]) => graph.node("Add", [graph.node("Mul", [graph.node("Mul", [a, a]), b]), a]),
  );
  const feeds = {
    a: tensor([1, 2], Float32Array.of(3, -2)),
    b: tensor([1, 2], Float32Array.of(0.5, 4)),
    [gradientName("y")]: tensor([1, 2], Float32Array.of(1, 10)),
  };
  const [toA, toB, y] = await runOnce(
    differentiate(model, { of: "y", at: ["a", "b"], outputs: ["y"] }),
    feeds,
    [gradientName("a"), gradientName("b"), "y"],
  );
  deepEqual([...toA!.data], [4, -150]);
  deepEqual([...toB!.data], [9, 40]);
  deepEqual([...y!.data], [7.5, 14]);
});

Deno.test("differentiate() agrees with central differences", async () => {
  const model = graphOf("ab", (graph, [a, b]) => {
    const product = graph.node("MatMul", [graph.node("Tanh", [a]), b]);
    return graph.node("Softmax", [graph.node("Sigmoid", [product])], { axis: 1 });
  });
  const feeds = { a: uniform("a", [2, 3]), b: uniform("b", [3, 4]) };
  const weights = uniform("weights", [2, 4]);
  const [gradient] = await runOnce(
    differentiate(model, { of: "y", at: ["a"] }),
    { ...feeds, [gradientName("y")]: weights },
    [gradientName("a")],
  );
  const session = await openSession(model, { threads: 1 });
  const weighted = async (index: number, step: number) => {
    const a = tensor([2, 3], feeds.a.data.map((value, i) => i === index ? value + step : value));
    const { y } = await session.run({ ...feeds, a }, ["y"]);
    return y.data.reduce((sum, value, i) => sum + value * weights.data[i]!, 0);
  };
  const step = 1 / 64;
  for (const [index, value] of gradient!.data.entries()) {
    const slope = (await weighted(index, step) - await weighted(index, -step)) / (2 * step);
    ok(Math.abs(slope - value) < 2e-5, `${slope} against ${value}`);
  }
  await session.close();
});

Deno.test("differentiate() agrees with the tape of TensorFlow.js", async () => {
  const model = graphOf("ab", (graph, [a, b]) => {
    const hidden = graph.node("Softplus", [graph.node("MatMul", [a, b])]);
    const norm = graph.node("Sqrt", [
      graph.node("ReduceSum", [graph.node("Mul", [hidden, hidden]), graph.integers([1])]),
    ]);
    const sums = graph.node("ReduceSum", [graph.node("Div", [hidden, norm]), graph.integers([0])]);
    return graph.node("Sub", [graph.node("Reshape", [sums, graph.integers([4, 1])]), norm]);
  });
  const [a, b, weights] = [uniform("a", [3, 2]), uniform("b", [2, 4]), uniform("weights", [4, 1])];
  // The difference of [4, 1] and [3, 1] cannot be broadcast, so a has four rows too.
  const rows = tensor([4, 2], Float32Array.of(...a.data, 0.25, -0.5));
  const computed = await runOnce(
    differentiate(model, { of: "y", at: ["a", "b"] }),
    { a: rows, b, [gradientName("y")]: weights },
    [gradientName("a"), gradientName("b")],
  );
  const { tf } = await openTfjs({ device: "cpu" });
  const of = ({ data, shape }: Tensor) => tf.tensor(data, [...shape]);
  const gradients = tf.grads((x, w) => {
    const hidden = tf.softplus(tf.matMul(x!, w!));
    const norm = tf.sqrt(tf.sum(tf.square(hidden), 1, true));
    const sums = tf.sum(tf.div(hidden, norm), 0, true);
    return tf.sub(tf.reshape(sums, [4, 1]), norm);
  })([of(rows), of(b)], of(weights));
  for (const [index, gradient] of gradients.entries()) {
    const expected = await gradient.data();
    const { shape, data } = computed[index]!;
    deepEqual(shape, gradient.shape);
    data.forEach((value, i) => ok(Math.abs(value - expected[i]!) < 1e-6, `${value}`));
  }
});

Deno.test("differentiate() gives each row its own gradient, for any number of rows", async () => {
  const model = graphOf("a", (graph, [a]) => {
    const weight = graph.constant(uniform("weight", [3, 5]));
    const hidden = graph.node("Relu", [graph.node("MatMul", [a, weight])]);
    return graph.node("Mul", [hidden, hidden]);
  });
  const session = await openSession(differentiate(model, { of: "y", at: ["a"] }), { threads: 1 });
  const [all, seed] = [uniform("a", [4, 3]), uniform("seed", [4, 5])];
  const output = gradientName("a");
  const together = await session.run({ a: all, [gradientName("y")]: seed }, [output]);
  for (let row = 0; row < 4; row++) {
    const one = await session.run({
      a: tensor([1, 3], all.data.slice(3 * row, 3 * row + 3)),
      [gradientName("y")]: tensor([1, 5], seed.data.slice(5 * row, 5 * row + 5)),
    }, [output]);
    deepEqual(one[output]!.data, together[output]!.data.slice(3 * row, 3 * row + 3));
  }
  await session.close();
});

Deno.test("differentiate() at an inner value takes the name of its output too", async () => {
  const graph = createGraph("named");
  const inner = graph.node("Exp", [graph.input("a", [2])]);
  graph.output(inner, "depth");
  graph.output(graph.node("Mul", [inner, graph.scalar(3)]), "y");
  const feeds = {
    a: tensor([2], Float32Array.of(0, 1)),
    [gradientName("y")]: tensor([2], Float32Array.of(1, 2)),
  };
  const model = differentiate(graph.build(), { of: "y", at: ["depth"] });
  const [gradient] = await runOnce(model, feeds, [gradientName("depth")]);
  deepEqual([...gradient!.data], [3, 6]);
});

Deno.test("differentiate() leaves out what the gradient does not need", async () => {
  const graph = createGraph("two branches");
  const a = graph.input("a", [2]);
  const other = graph.input("other", [2]);
  graph.output(graph.node("Mul", [a, graph.scalar(5)]), "y");
  graph.output(graph.node("Add", [other, graph.constant(tensor([2], new Float32Array(2)))]), "z");
  const session = await openSession(differentiate(graph.build(), { of: "y", at: ["a"] }));
  // y is linear in a, so that the gradient needs the constant and the weights alone.
  deepEqual(session.inputs, [gradientName("y")]);
  deepEqual(session.outputs, [gradientName("a")]);
  await session.close();
});

Deno.test("differentiate() names an operator without a rule, and the node", () => {
  const model = graphOf("a", (graph, [a]) => graph.node("Softplus", [graph.node("Det", [a])]));
  throws(
    () => differentiate(model, { of: "y", at: ["a"] }),
    (error: Error) =>
      error instanceof UserError &&
      /Differentiating y with respect to a: .* operator Det at node Det_0 .*choose a value after/
        .test(error.message),
  );
});

Deno.test("differentiate() refuses what it would get wrong", () => {
  const onlyFirst = graphOf("a", (graph, [a]) => {
    const scale = graph.constant(uniform("scale", [3]));
    const [y, mean] = graph.nodes("LayerNormalization", [a, scale], { outputs: 2 });
    return graph.node("Add", [y, mean]);
  });
  throws(() => differentiate(onlyFirst, { of: "y", at: ["a"] }), /more than its first output/);
  const double = graphOf("a", (graph, [a]) => graph.node("Cast", [a], { to: 11 }));
  throws(() => differentiate(double, { of: "y", at: ["a"] }), /Cast .* not of 32-bit floats/);
  const reflected = graphOf(
    "a",
    (graph, [a]) => graph.node("Pad", [a, graph.integers([0, 1, 0, 1])], { mode: "reflect" }),
  );
  throws(() => differentiate(reflected, { of: "y", at: ["a"] }), /Pad .*mode reflect/);
});

Deno.test("differentiate() names the operand that is not constant as it should be", () => {
  const model = graphOf(
    "ab",
    (graph, [a, b]) => graph.node("Conv", [a, b], { kernel_shape: [1, 1] }),
  );
  throws(() => differentiate(model, { of: "y", at: ["b"] }), /operator Conv .* operand 2, b,/);
});

Deno.test("differentiate() keeps and upgrades the graphs inside nodes", async () => {
  const node = (op_type: string, input: string[], output: string[], attribute: unknown[] = []) => ({
    op_type,
    input,
    output,
    attribute,
  });
  // Of version 11: Squeeze has its axes as an attribute. The branch reads b from outside.
  const axes = { name: "axes", type: 7, ints: [0] };
  const branch = (name: string, body: unknown) => ({
    name,
    type: 5,
    g: { name, node: [body], output: [{ name: `${name} result` }] },
  });
  const model = encode({
    ir_version: 6,
    opset_import: [{ version: 11 }],
    graph: {
      name: "branches",
      input: ["a", "b"].map((name) => ({ name, type: { tensor_type: { elem_type: 1 } } })),
      initializer: [{ name: "condition", dims: [], data_type: 9, raw_data: Uint8Array.of(1) }],
      node: [
        node("If", ["condition"], ["chosen"], [
          branch("then_branch", node("Squeeze", ["b"], ["then_branch result"], [axes])),
          branch("else_branch", node("Identity", ["b"], ["else_branch result"])),
        ]),
        node("Mul", ["a", "chosen"], ["y"]),
      ],
      output: [{ name: "y", type: { tensor_type: { elem_type: 1 } } }],
    },
  }, modelSchema);
  const feeds = {
    a: tensor([2], Float32Array.of(1, 2)),
    b: tensor([1, 2], Float32Array.of(5, 7)),
    [gradientName("y")]: tensor([2], Float32Array.of(1, -1)),
  };
  const [gradient] = await runOnce(
    differentiate(model, { of: "y", at: ["a"] }),
    feeds,
    [gradientName("a")],
  );
  deepEqual([...gradient!.data], [5, -7]);
  throws(
    () => differentiate(model, { of: "y", at: ["b"] }),
    /operator If at node chosen .*, b, is/,
  );
});

Deno.test("differentiate() refuses operators of versions that it cannot write", () => {
  const model = (version: number, op_type: string) =>
    encode({
      opset_import: [{ version }],
      graph: {
        node: [{ op_type, name: "odd", input: ["a"], output: ["y"] }],
        input: [{ name: "a" }],
      },
    }, modelSchema);
  throws(
    () => differentiate(model(6, "Relu"), { of: "y", at: ["a"] }),
    /version 6; .* version 7 on/,
  );
  throws(
    () => differentiate(model(18, "GroupNormalization"), { of: "y", at: ["a"] }),
    /Node odd is a GroupNormalization of version 18/,
  );
});

Deno.test("differentiate() refuses names that are unknown and values that do not matter", () => {
  const model = graphOf("ab", (graph, [a]) => graph.node("Exp", [a]));
  throws(() => differentiate(model, { of: "z", at: ["a"] }), /no value z/);
  throws(() => differentiate(model, { of: "y", at: ["a", "c"] }), /no value c/);
  throws(
    () => differentiate(model, { of: "y", at: ["b"] }),
    /y does not depend on the numbers of b/,
  );
  const shape = graphOf(
    "a",
    (graph, [a]) => graph.node("Cast", [graph.node("Shape", [a])], { to: 1 }),
  );
  throws(() => differentiate(shape, { of: "y", at: ["a"] }), /does not depend on the numbers of a/);
  throws(() => differentiate(Uint8Array.of(8, 9), { of: "y", at: ["a"] }), RangeError);
});

Deno.test("differentiate() refuses a graph that has gradients of these names", () => {
  const model = graphOf("a", (graph, [a]) => graph.node("Mul", [graph.node("Mul", [a, a]), a]));
  const first = differentiate(model, { of: "y", at: ["a"] });
  throws(
    () => differentiate(first, { of: gradientName("a"), at: ["a"] }),
    /a value gradient of a already/,
  );
});
