import { deepEqual, match, ok, rejects } from "node:assert/strict";
import { createGraph, DeviceUnavailableError, openSession } from "../../lib/onnx/mod.ts";
import { tensor } from "../../lib/tensor/mod.ts";

function doubling(): Uint8Array {
  const graph = createGraph("double");
  graph.output(graph.node("Mul", [graph.input("x", ["rows"]), graph.scalar(2)]), "y");
  return graph.build();
}

Deno.test("openSession() reads bytes and files alike", async () => {
  const file = await Deno.makeTempFile({ suffix: ".onnx" });
  await Deno.writeFile(file, doubling());
  for (const model of [doubling(), file]) {
    const session = await openSession(model, { threads: 1 });
    deepEqual([session.inputs, session.outputs], [["x"], ["y"]]);
    const { y } = await session.run({ x: tensor([2], Float32Array.of(1, 3)) }, ["y"]);
    deepEqual(y, tensor([2], Float32Array.of(2, 6)));
    await session.close();
  }
  await Deno.remove(file);
});

Deno.test("Session.run() names missing inputs and unknown outputs", async () => {
  const session = await openSession(doubling());
  const x = tensor([1], Float32Array.of(1));
  await rejects(session.run({}, ["y"]), /missing inputs \[x\]/);
  await rejects(session.run({ x }, ["z"]), /unknown outputs \[z\]/);
  await session.close();
});

Deno.test("Session.run() returns results that later runs leave alone", async () => {
  const session = await openSession(doubling());
  const first = await session.run({ x: tensor([1], Float32Array.of(1)) }, ["y"]);
  for (let i = 0; i < 10; i++) await session.run({ x: tensor([1], Float32Array.of(9)) }, ["y"]);
  await session.close();
  deepEqual([...first.y.data], [2]);
});

Deno.test("openSession() opens a device or says that it is not available", async () => {
  for (const device of ["cuda", "webgpu"] as const) {
    try {
      await (await openSession(doubling(), { device })).close();
    } catch (error) {
      ok(error instanceof DeviceUnavailableError, `${error}`);
      match(error.message, new RegExp(`on the device "${device}" failed .*: use "cpu"`));
    }
  }
});

Deno.test("openSession() refuses bytes that are no model", async () => {
  await rejects(openSession(Uint8Array.of(1, 2, 3)), Error);
});
