import { deepEqual, ok } from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { differentiate, gradientName, openSession } from "../../lib/onnx/mod.ts";
import { type Tensor, tensor } from "../../lib/tensor/mod.ts";
import { formula } from "../models/_formula.ts";

/** A model of one operator, and autograd's gradients: see tools/fixtures/operator_gradients.py. */
interface Case {
  readonly title: string;
  readonly model: string;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly result: readonly number[];
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

const fixture = new URL("../fixtures/onnx/operator_gradients.json.gz", import.meta.url);
const cases: Case[] = JSON.parse(
  new TextDecoder().decode(gunzipSync(Deno.readFileSync(fixture))),
);

for (const { title, model, shapes, result, gradients } of cases) {
  Deno.test(`differentiate() agrees with autograd on ${title}`, async () => {
    const at = Object.keys(shapes);
    const graph = differentiate(Uint8Array.fromBase64(model), { of: "y", at });
    const session = await openSession(graph, { threads: 1 });
    const inputs = at.map((name) => [name, uniform(name, shapes[name]!)] as const);
    const seed = [gradientName("y"), uniform("weights", result)] as const;
    const computed = await session.run(
      Object.fromEntries([...inputs, seed]),
      at.map(gradientName),
    );
    await session.close();
    for (const name of at) {
      const { shape, data } = computed[gradientName(name)]!;
      deepEqual(shape, shapes[name]);
      const greatest = Math.max(...gradients[name]!.map(Math.abs));
      const errors = [...data].map((value, i) => Math.abs(value - gradients[name]![i]!) / greatest);
      const worst = Math.max(...errors);
      ok(worst < 1e-5, `${name}: ${worst}`);
    }
  });
}

function uniform(name: string, shape: readonly number[]): Tensor {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const options = name.startsWith("p") ? { offset: 1.5, factor: 1 } : { factor: 2 };
  return tensor(shape, formula(name, { size, ...options }));
}
