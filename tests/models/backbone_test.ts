import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { backboneSchema, loadConfig, withSizes } from "../../lib/config/mod.ts";
import { UserError } from "../../lib/files/mod.ts";
import { networkOf } from "../../lib/models/architectures/mod.ts";
import {
  backboneOutputs,
  backboneParameters,
  lastLayerOf,
  loadWeights,
  openBackbone,
} from "../../lib/models/mod.ts";
import { checkStateDict } from "../../lib/models/state_dict.ts";
import { networkGraph } from "../../lib/models/network_graph.ts";
import { readOnnx } from "../../lib/onnx/mod.ts";
import { dot, norm, row, type Tensor, tensor } from "../../lib/tensor/mod.ts";
import { formulaPixels, formulaWeights } from "./_formula.ts";
import { sizedBackbone } from "./_parity.ts";

async function narrow(name: string) {
  const config = await sizedBackbone(name, "world");
  return { config, weights: new Map(formulaWeights(backboneParameters(config))) };
}

function refusal(...parts: RegExp[]) {
  return (error: Error) =>
    error instanceof UserError && parts.every((part) => part.test(error.message));
}

Deno.test("configs/backbones/ follow their schema, and name, outputs and hash agree", async () => {
  for (const { name: file } of Deno.readDirSync("configs/backbones")) {
    const config = await loadConfig(`configs/backbones/${file}`, backboneSchema);
    equal(`${config.name}.json`, file);
    if (config.family === "onnx") continue;
    const { url, file: packed, sha256Prefix, sha1 } = config.weights;
    ok(url.includes(sha256Prefix ?? sha1!.slice(0, 8)) && url.includes(packed ?? ""), file);
    for (const sizes of ["released", "world"] as const) {
      if (sizes === "world" && config.world === undefined) continue;
      ok(backboneOutputs(withSizes(config, sizes)).includes("features"));
    }
  }
});

Deno.test("withSizes() leaves nothing but normalisation for the world's images", async () => {
  const config = await loadConfig("configs/backbones/resnet18.json", backboneSchema);
  if (config.family === "onnx") throw new Error("resnet18 is built");
  const { architecture, preprocess } = withSizes(config, "world");
  deepEqual(architecture, {
    family: "resnet",
    classes: 40,
    imageSize: 64,
    width: config.world!["width"],
    blocks: [2, 2, 2, 2],
    bottleneck: false,
  });
  ok(config.world!["width"] as number < 64);
  deepEqual([preprocess.resize, preprocess.crop], [null, null]);
  deepEqual(preprocess.mean, config.preprocess.mean);
  const { world: _world, ...wide } = config;
  throws(() => withSizes(wide, "world"), refusal(/resnet18 has no "world" sizes/));
});

Deno.test("openBackbone() lists missing, surplus and wrongly shaped weights", async () => {
  const { config, weights } = await narrow("resnet18");
  weights.set("bn1.num_batches_tracked", tensor([], Float32Array.of(3)));
  weights.delete("layer1.0.bn1.running_var");
  weights.delete("fc.bias");
  weights.set("head.weight", tensor([1], Float32Array.of(1)));
  const { shape } = weights.get("conv1.weight")!;
  weights.set("conv1.weight", tensor([1, 2], new Float32Array(2)));
  await rejects(
    openBackbone(config, { weights }),
    refusal(
      /missing layer1\.0\.bn1\.running_var, fc\.bias;/,
      /surplus head\.weight;/,
      new RegExp(`wrongly shaped conv1\\.weight \\[1,2\\] instead of \\[${shape}\\]`),
    ),
  );
});

Deno.test("zoo/ holds weights that fit the narrow sizes of the configs", async () => {
  const names = [...Deno.readDirSync("zoo")].map(({ name }) => name)
    .filter((name) => name.endsWith(".safetensors"));
  ok(names.length > 0);
  for (const name of names.map((file) => file.replace(".safetensors", ""))) {
    const parameters = backboneParameters(await sizedBackbone(name, "world"));
    const { tensors } = await loadWeights(`zoo/${name}.safetensors`);
    equal(checkStateDict(tensors, { name, parameters }).size, parameters.size);
  }
});

Deno.test("lastLayerOf() reads the last linear layer alone", async () => {
  const { config, weights } = await narrow("vgg13");
  const { weight, bias } = lastLayerOf(config, weights);
  deepEqual([weight.shape[0], bias.shape], [40, [40]]);
  equal(weight, weights.get("classifier.6.weight"));
  throws(() => lastLayerOf(config, new Map()), refusal(/vgg13 lack its last layer, classifier\.6/));
});

Deno.test("openBackbone() takes torchvision's old DenseNet names", async () => {
  const { config, weights } = await narrow("densenet121");
  const old = new Map([...weights].map(([key, value]) => [
    key.replace(/(denselayer\d+\.(?:norm|conv))(\d)/, "$1.$2"),
    value,
  ]));
  ok(old.has("features.denseblock1.denselayer1.norm.1.weight"));
  const results: Tensor[] = [];
  for (const state of [weights, old]) {
    const backbone = await openBackbone(config, { weights: state });
    results.push((await backbone.run(formulaPixels(3 * 64 * 64), 1, ["logits"])).logits);
    await backbone.close();
  }
  deepEqual(results[0], results[1]);
});

Deno.test("openBackbone() names its outputs when one is unknown", async () => {
  const { config, weights } = await narrow("resnet18");
  await rejects(
    openBackbone(config, { weights, outputs: ["layer9"] }),
    refusal(/no output layer9: choose of layer1\.0, .*features, logits, intermediate/),
  );
  const wrong = {
    ...config,
    intermediate: { ...config.intermediate!, value: { output: "x", pool: "average" as const } },
  };
  throws(
    () => backboneOutputs(wrong),
    refusal(/no output x, which its config names as intermediate/),
  );
});

Deno.test("openBackbone() turns a device that is not there into the user's mistake", async () => {
  const { config, weights } = await narrow("vgg13");
  await openBackbone(config, { weights, device: "cuda" })
    .then((backbone) => backbone.close(), (error) => ok(error instanceof UserError));
});

Deno.test("networkGraph() holds nothing that the outputs do not need", async () => {
  const { config, weights } = await narrow("resnet18");
  const { outputs } = networkOf(config.architecture);
  const graphOf = (name: string) => readOnnx(networkGraph({ [name]: outputs[name]! }, weights));
  const convolutions = (name: string) =>
    [...graphOf(name).producers.values()].filter(({ operator }) => operator === "Conv").length;
  deepEqual(["layer1", "layer3", "features"].map(convolutions), [5, 15, 20]);
});

Deno.test("Backbone.run() gives logits that are the last layer of the features", async () => {
  for (const name of ["resnet50", "densenet169", "vgg19", "vit_l_16"]) {
    const { config, weights } = await narrow(name);
    const backbone = await openBackbone(config, { weights });
    const { features, logits } = await backbone.run(formulaPixels(2 * 3 * 64 * 64), 2, [
      "features",
      "logits",
    ]);
    const { weight, bias } = backbone.lastLayer;
    await backbone.close();
    deepEqual([logits.shape, weight.shape], [[2, 40], [40, features.shape[1]]]);
    for (let image = 0; image < 2; image++) {
      row(logits, image).forEach((logit, k) => {
        const expected = dot(row(features, image), row(weight, k)) + bias.data[k]!;
        ok(Math.abs(logit - expected) < 1e-4 * Math.max(1, Math.abs(expected)), name);
      });
    }
  }
});

Deno.test("Backbone.run() treats each image alone and repeats itself", async () => {
  for (const name of ["resnet18", "vit_b_16"]) {
    const { config, weights } = await narrow(name);
    const backbone = await openBackbone(config, { weights, threads: 1 });
    const length = 3 * 64 * 64;
    const pixels = formulaPixels(3 * length);
    const { features } = await backbone.run(pixels, 3, ["features"]);
    deepEqual((await backbone.run(pixels, 3, ["features"])).features, features);
    const { features: last } = await backbone.run(pixels.subarray(2 * length), 1, ["features"]);
    await rejects(backbone.run(pixels, 2, ["features"]), RangeError);
    await backbone.close();
    const expected = row(features, 2);
    const scale = norm(expected);
    last.data.forEach((value, i) => ok(Math.abs(value - expected[i]!) < 1e-6 * scale, name));
  }
});

Deno.test("Backbone.run() gives intermediate features as vectors", async () => {
  const pixels = formulaPixels(3 * 64 * 64);
  const run = async (name: string, depth: string) => {
    const { config, weights } = await narrow(name);
    const backbone = await openBackbone(config, {
      weights,
      outputs: [depth, "intermediate_pooled"],
    });
    const results = await backbone.run(pixels, 1, [depth, "intermediate_pooled"]);
    await backbone.close();
    return { map: results[depth]!, vector: results["intermediate_pooled"]! };
  };
  const convolutional = await run("resnet18", "layer3");
  const [, channels] = convolutional.vector.shape;
  deepEqual(convolutional.map.shape, [1, channels, 4, 4]);
  const means = Array.from(
    { length: channels! },
    (_, channel) =>
      convolutional.map.data.subarray(16 * channel, 16 * channel + 16)
        .reduce((sum, value) => sum + value / 16, 0),
  );
  const scale = norm(means);
  convolutional.vector.data.forEach((value, i) => ok(Math.abs(value - means[i]!) < 1e-6 * scale));
  const tokens = await run("vit_b_16", "encoder.layers.encoder_layer_10");
  const width = tokens.map.shape[2]!;
  deepEqual(tokens.vector, tensor([1, width], tokens.map.data.slice(0, width)));
});
