import { deepEqual, ok } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { differentiate, gradientName, openSession } from "../../lib/onnx/mod.ts";
import { norm, tensor } from "../../lib/tensor/mod.ts";
import { formulaPixels, oneHot } from "../models/_formula.ts";
import {
  exportedDifferences,
  exportedGradients,
  exportedModels,
  readExported,
} from "./_exported.ts";

const folder = new URL("../fixtures/models/exported/", import.meta.url);

for (const name of exportedModels) {
  for (const exporter of ["torchscript", "dynamo"] as const) {
    Deno.test(`differentiate() and tailOf() agree with autograd on ${name} of ${exporter}`, async () => {
      const model = await readExported(name, { exporter, folder });
      for (const [value, difference] of Object.entries(await exportedDifferences(model))) {
        ok(difference < 1e-5, `${value} differs by ${difference}`);
      }
    });
  }
}

Deno.test("differentiate() and tailOf() take one image where the exporter saw two", async () => {
  const model = await readExported("swin_t", { exporter: "dynamo", folder });
  const two = await exportedGradients(model);
  const { pixels: { shape: [, ...image], data } } = model;
  const one = await exportedGradients({
    ...model,
    pixels: tensor([1, ...image], data.slice(data.length / 2)),
    classes: model.classes.slice(1),
  });
  for (const key of ["pixels", "inner", "tail"] as const) {
    const expected = two[key].data.slice(two[key].data.length / 2);
    deepEqual(one[key].shape, [1, ...two[key].shape.slice(1)]);
    one[key].data.forEach((value, i) => ok(Math.abs(value - expected[i]!) < 1e-6, `${value}`));
  }
});

Deno.test("differentiate() leaves external data where it is", async () => {
  const models = new URL("../fixtures/models/onnx/", import.meta.url);
  const gradients = [];
  for (const name of ["dynamo", "dynamo_external_data"]) {
    const bytes = await Deno.readFile(new URL(`${name}.onnx`, models));
    const session = await openSession(differentiate(bytes, { of: "logits", at: ["pixels"] }), {
      externalData: fileURLToPath(models),
    });
    const pixels = tensor([3, 3, 8, 8], formulaPixels(3 * 3 * 8 ** 2));
    const feeds = { pixels, [gradientName("logits")]: oneHot([0, 1, 4], 5) };
    const results = await session.run(feeds, [gradientName("pixels")]);
    await session.close();
    gradients.push(results[gradientName("pixels")]!);
  }
  deepEqual(gradients[0], gradients[1]);
  ok(norm(gradients[0]!.data) > 0.01);
});
