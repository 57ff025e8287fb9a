import assert from "node:assert/strict";
import { join } from "node:path";
import { builtBackboneSchema, loadConfig, withSizes } from "../../lib/config/mod.ts";
import { featureCost } from "../../lib/models/mod.ts";
import { featuresEstimate, gradientsEstimate } from "../../lib/pipeline/_estimates.ts";

/** Gigabytes that bench/model_memory.ts measured at a batch of 16, features and inner gradients. */
const features = {
  resnet18: 0.41,
  resnet34: 0.79,
  resnet50: 0.88,
  densenet121: 0.64,
  densenet169: 0.74,
  vgg13: 3.2,
  vgg19: 3.45,
  vit_b_16: 1.78,
  vit_l_16: 6.07,
  resnet18_cub: 0.44,
  densenet40_k12_cifar100: 0.19,
  seresnet20_cifar100: 0.06,
};
const gradients = { resnet18: 0.47, densenet121: 0.3, vit_b_16: 1.85 };

async function sized(name: string) {
  const path = join(import.meta.dirname!, "..", "..", "configs", "backbones", `${name}.json`);
  return withSizes(await loadConfig(path, builtBackboneSchema), "released");
}

function isJustEnough(estimate: number, measured: number): void {
  const more = estimate / 1e9 - measured;
  assert.ok(more > -0.005 && more < 0.8, `${more.toFixed(2)} GB more than ${measured}`);
}

for (const [name, measured] of Object.entries(features)) {
  Deno.test(`featuresEstimate() of ${name} has the memory that was measured`, async () => {
    const cost = featureCost(await sized(name));
    isJustEnough(featuresEstimate(cost, { count: 80, batch: 16 }).memory!, measured);
  });
}

for (const [name, measured] of Object.entries(gradients)) {
  Deno.test(`gradientsEstimate() of ${name} has the memory that was measured`, async () => {
    const config = await sized(name);
    const cost = featureCost(config, config.intermediate!.value.output);
    isJustEnough(gradientsEstimate(cost, { count: 80, batch: 16 }).memory!, measured);
  });
}
