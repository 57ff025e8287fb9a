import { deepEqual, ok, rejects } from "node:assert/strict";
import { onnxBackboneSchema } from "../../lib/config/mod.ts";
import { UserError } from "../../lib/files/mod.ts";
import { openOnnxClassifier } from "../../lib/models/mod.ts";
import { createGraph } from "../../lib/onnx/mod.ts";
import { type Tensor, tensor } from "../../lib/tensor/mod.ts";
import { formulaPixels } from "./_formula.ts";

const folder = "tests/fixtures/models/onnx";
const images = 3;
const side = 8;

function config(name: string, changes: Record<string, unknown> = {}) {
  return onnxBackboneSchema.parse({
    name,
    family: "onnx",
    file: `${folder}/${name}.onnx`,
    classNames: `${folder}/classes.txt`,
    preprocess: {
      resize: { shorter: side },
      interpolation: "bilinear",
      crop: side,
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
    },
    ...changes,
  });
}

function close(actual: Tensor, expected: { shape: number[]; data: number[] }, what: string) {
  deepEqual(actual.shape, expected.shape, what);
  actual.data.forEach((value, i) => {
    ok(Math.abs(value - expected.data[i]!) < 1e-5, `${what}[${i}]: ${value}, ${expected.data[i]}`);
  });
}

const exports = [
  "legacy",
  "legacy_one_image",
  "legacy_unfolded",
  "legacy_without_bias",
  "dynamo",
  "dynamo_external_data",
  "dynamo_product",
  "dynamo_tokens",
  "dynamo_two_images",
];

for (const name of exports) {
  Deno.test(`openOnnxClassifier() finds features and last layer of PyTorch's export ${name}`, async () => {
    const reference = JSON.parse(await Deno.readTextFile(`${folder}/${name}.json`));
    const classifier = await openOnnxClassifier(config(name));
    const pixels = formulaPixels(images * 3 * side * side);
    const { features, logits } = await classifier.run(pixels, images, ["features", "logits"]);
    const { weight, bias } = classifier.lastLayer;
    await classifier.close();
    close(features, { shape: [3, 6], data: reference.features }, "features");
    close(logits, { shape: [3, 5], data: reference.logits }, "logits");
    close(weight, { shape: [5, 6], data: reference.weight }, "weight");
    close(bias, { shape: [5], data: reference.bias }, "bias");
    deepEqual(classifier.classNames[4], "class 4");
  });
}

Deno.test("openOnnxClassifier() takes values by name, such as the logits before a softmax", async () => {
  const names = { input: "pixels", logits: "/linear/Gemm_output_0", features: "/Flatten_output_0" };
  const classifier = await openOnnxClassifier(config("legacy_probabilities", names));
  const { logits } = await classifier.run(formulaPixels(3 * side * side), 1, ["logits"]);
  await classifier.close();
  const { logits: probabilities } = JSON.parse(
    await Deno.readTextFile(`${folder}/legacy_probabilities.json`),
  );
  const exponentials = logits.data.map(Math.exp);
  const sum = exponentials.reduce((a, b) => a + b);
  const data = probabilities.slice(0, 5);
  close(tensor([5], exponentials.map((value) => value / sum)), { shape: [5], data }, "softmax");
});

Deno.test("openOnnxClassifier() says what it cannot find", async () => {
  const mistakes: [ReturnType<typeof config>, RegExp][] = [
    [config("legacy_probabilities"), /comes from Softmax.*name the value before it, \/linear/],
    [config("legacy", { logits: "scores" }), /no value scores.*outputs are \[logits\]/],
    [
      config("legacy", { features: "/body/body.2/Relu_output_0" }),
      /last linear layer is \/Flatten/,
    ],
    [config("legacy", { logits: "/body/body.2/Relu_output_0" }), /comes from Relu/],
    [config("legacy", { input: "image" }), /inputs are \[pixels\]/],
    [config("legacy", { file: `${folder}/none.onnx` }), /"file".*there is no such file/],
    [config("legacy", { classNames: `${folder}/none.txt` }), /"classNames".*no such file/],
    [config("legacy", { classNames: `${folder}/legacy.json` }), /must hold 5 class names.*not 1/],
    [config("legacy", { file: `${folder}/classes.txt` }), /is no ONNX model/],
    [
      config("legacy", { preprocess: { ...config("legacy").preprocess, crop: 16 } }),
      /images of side 8, not 16/,
    ],
  ];
  for (const [wrong, message] of mistakes) {
    await rejects(
      openOnnxClassifier(wrong),
      (error: Error) => error instanceof UserError && message.test(error.message),
    );
  }
});

Deno.test("openOnnxClassifier() reads no data outside the model's folder", async () => {
  const model = await Deno.readFile(`${folder}/dynamo_external_data.onnx`);
  const location = new TextEncoder().encode("dynamo_external_data.onnx.data");
  const outside = new TextEncoder().encode("../namo_external_data.onnx.dat");
  const moved = model.slice();
  for (let i = 0; i + location.length <= moved.length; i++) {
    if (location.every((byte, j) => moved[i + j] === byte)) moved.set(outside, i);
  }
  const file = await Deno.makeTempFile({ suffix: ".onnx" });
  await Deno.writeFile(file, moved);
  await rejects(openOnnxClassifier(config("dynamo", { file })), /outside the model's folder/);
  await Deno.remove(file);
});

Deno.test("openOnnxClassifier() counts alpha and beta of Gemm into the last layer", async () => {
  const graph = createGraph("scaled");
  const flat = graph.node("Flatten", [graph.input("x", ["batch", 3, 1, 1])]);
  const weight = graph.constant(tensor([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)));
  const bias = graph.constant(tensor([1], Float32Array.of(3)));
  const attributes = { transB: 1, alpha: 0.5, beta: 1.5 };
  graph.output(graph.node("Gemm", [flat, weight, bias], attributes), "y", ["batch", 2]);
  const folder = await Deno.makeTempDir();
  await Deno.writeFile(`${folder}/scaled.onnx`, graph.build());
  await Deno.writeTextFile(`${folder}/classes.txt`, "a\nb\n");
  const classifier = await openOnnxClassifier(config("scaled", {
    file: `${folder}/scaled.onnx`,
    classNames: `${folder}/classes.txt`,
    preprocess: { ...config("scaled").preprocess, crop: null },
  }));
  await classifier.close();
  await Deno.remove(folder, { recursive: true });
  deepEqual([...classifier.lastLayer.weight.data], [0.5, 1, 1.5, 2, 2.5, 3]);
  deepEqual([...classifier.lastLayer.bias.data], [4.5, 4.5]);
});
