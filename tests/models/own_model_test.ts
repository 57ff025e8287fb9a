import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { norm, row, type Tensor, tensor } from "../../lib/tensor/mod.ts";
import { createGraph, readOnnx } from "../../lib/onnx/mod.ts";
import { decode, encode } from "../../lib/onnx/_protobuf.ts";
import { DataType, modelSchema } from "../../lib/onnx/_schema.ts";
import {
  checkGradient,
  inspectModel,
  layerShapes,
  openOwnModel,
  pooledFeatures,
} from "../../lib/models/mod.ts";
import { exportedModels } from "../onnx/_exported.ts";
import { formulaPixels } from "./_formula.ts";

const folder = "tests/fixtures/models/onnx";
const [images, side] = [3, 8];

async function fixture(name: string) {
  const file = `${folder}/${name}.onnx`;
  const expected = JSON.parse(await Deno.readTextFile(`${folder}/${name}.json`));
  return { file, expected, inspected: await inspectModel(file) };
}

const exported = [
  "legacy",
  "legacy_one_image",
  "legacy_probabilities",
  "dynamo",
  "dynamo_external_data",
  "dynamo_two_images",
  "dynamo_tokens",
];

for (const name of exported) {
  Deno.test(`inspectModel() finds of ${name} the features and logits that PyTorch computes`, async () => {
    const { file, expected, inspected: { image, logits, lastLayer, preprocess } } = await fixture(
      name,
    );
    ok("features" in lastLayer, JSON.stringify(lastLayer));
    const { features } = lastLayer;
    equal(image.imageSize, side);
    equal(preprocess.certainty, "guessed");
    const model = await openOwnModel({ file, input: image, values: [features, logits] });
    const values = await model.run(formulaPixels(images * 3 * side ** 2), images);
    await model.close();
    close(pooledFeatures(values[features]!, { name: features, images }), expected.features);
    // The file of probabilities holds what its output is, behind the logits.
    const found = values[logits]!;
    close(name === "legacy_probabilities" ? softmax(found) : found, expected.logits);
  });
}

function softmax(logits: Tensor): Tensor {
  const rows = Array.from({ length: images }, (_, i) => {
    const powers = row(logits, i).map(Math.exp);
    const sum = powers.reduce((total, power) => total + power, 0);
    return [...powers].map((power) => power / sum);
  });
  return tensor(logits.shape, Float32Array.from(rows.flat()));
}

function close({ data }: Tensor, expected: readonly number[]) {
  equal(data.length, expected.length);
  data.forEach((value, i) => ok(Math.abs(value - expected[i]!) < 1e-5, `${value}, ${expected[i]}`));
}

Deno.test("checkGradient() at the last layer finds the length of the logit's weights", async () => {
  const { inspected } = await fixture("legacy");
  const { lastLayer } = inspected;
  ok("features" in lastLayer);
  const check = await checkGradient(inspected, { layer: lastLayer.features });
  const expected = norm(row(lastLayer.weight, check.logit));
  ok(Math.abs(check.gradient - expected) < 1e-5, `${check.gradient}, ${expected}`);
  ok(check.error < 1e-3);
});

for (const name of exportedModels) {
  for (const exporter of ["torchscript", "dynamo"]) {
    Deno.test(`inspectModel() reads ${name} as ${exporter} exports it, and its gradient is right`, async () => {
      const source = `tests/fixtures/models/exported/${name}.${exporter}.onnx.gz`;
      const file = `${await Deno.makeTempDir()}/model.onnx`;
      await Deno.writeFile(file, gunzipSync(await Deno.readFile(source)));
      const inspected = await inspectModel(file);
      deepEqual(inspected.withoutGradient, []);
      ok("features" in inspected.lastLayer);
      const { features } = inspected.lastLayer;
      const shapes = await layerShapes(inspected);
      deepEqual(shapes[inspected.logits], [1, 5]);
      ok((await checkGradient(inspected, { layer: features })).error < 1e-3);
    });
  }
}

/** The mean of each channel of bytes, channels last, scaled; then a last layer that doubles them. */
async function bytesModel(): Promise<string> {
  const graph = createGraph("bytes");
  const pixels = graph.input("pixels", [1, 4, 4, 3]);
  const scaled = graph.node("Cast", [pixels], { to: 1 });
  const means = graph.node("ReduceMean", [scaled, graph.integers([1, 2])], { keepdims: 0 });
  const weight = graph.constant(tensor([3, 3], Float32Array.of(2, 0, 0, 0, 2, 0, 0, 0, 2)));
  graph.output(graph.node("Sigmoid", [graph.node("MatMul", [means, weight])]), "shares", [1, 3]);
  const file = `${await Deno.makeTempDir()}/bytes.onnx`;
  // deno-lint-ignore no-explicit-any -- what the writer of graphs does not offer
  const model = decode(graph.build(), modelSchema) as any;
  model.graph.input[0].type.tensor_type.elem_type = DataType.uint8;
  await Deno.writeFile(file, encode(model, modelSchema));
  return file;
}

Deno.test("openOwnModel() feeds bytes, channels last, in the batch that the file asks for", async () => {
  const file = await bytesModel();
  const { image, preprocess, lastLayer } = await inspectModel(file);
  deepEqual({ layout: image.layout, type: image.type, size: image.imageSize, batch: image.batch }, {
    layout: "nhwc",
    type: "uint8",
    size: 4,
    batch: 1,
  });
  equal(preprocess.certainty, "read");
  ok("features" in lastLayer);
  const { features } = lastLayer;
  const model = await openOwnModel({ file, input: image, values: [features] });
  const planes = [10, 20, 30, 40, 50, 60];
  const pixels = Float32Array.from({ length: 96 }, (_, i) => planes[Math.floor(i / 16)]!);
  const { [features]: values } = await model.run(pixels, 2);
  await model.close();
  deepEqual([...values!.data], planes);
});

Deno.test("pooledFeatures() averages maps and tokens", () => {
  const pool = (shape: number[], data: number[]) => [
    ...pooledFeatures(tensor(shape, Float32Array.from(data)), { name: "v", images: shape[0]! })
      .data,
  ];
  deepEqual(pool([1, 3, 2, 2], [1, 2, 3, 6, 0, 0, 0, 4, 5, 5, 5, 5]), [3, 1, 5]);
  deepEqual(pool([1, 2, 2, 3], [1, 0, 5, 2, 0, 5, 3, 0, 5, 6, 4, 5]), [3, 1, 5]);
  deepEqual(pool([1, 2, 3], [1, 2, 3, 3, 4, 5]), [2, 3, 4]);
  throws(() => pool([1, 2, 3, 4], Array(24).fill(0)), /cannot be a feature/);
  throws(() => pool([4], [1, 2, 3, 4]), /cannot be a feature/);
});

Deno.test("inspectModel() says in a sentence what is wrong with a file", async () => {
  await rejects(inspectModel("nowhere.onnx"), /there is no such file/);
  const file = `${await Deno.makeTempDir()}/text.onnx`;
  await Deno.writeTextFile(file, "not a model");
  await rejects(inspectModel(file), /no ONNX model/);
  const graph = createGraph("words");
  graph.output(graph.node("Relu", [graph.input("ids", ["batch", 7])]), "y");
  await Deno.writeFile(file, graph.build());
  await rejects(inspectModel(file), /no input of images.*ids float \[\?,7\]/);
  await rejects(
    inspectModel(`${folder}/legacy.onnx`, { logits: "logit" }),
    /no value "logit".*outputs are logits/,
  );
  equal(readOnnx(await Deno.readFile(`${folder}/legacy.onnx`)).opset, 20);
});
