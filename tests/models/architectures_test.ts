import { equal, ok } from "node:assert/strict";
import { backboneParameters } from "../../lib/models/mod.ts";
import { gradientParity, parity, sizedBackbone } from "./_parity.ts";

/** Trainable parameters, as torchvision's and pytorchcv's own tables of models state them. */
const parameterCounts = {
  resnet18: 11689512,
  resnet34: 21797672,
  resnet50: 25557032,
  densenet121: 7978856,
  densenet169: 14149480,
  vgg13: 133047848,
  vgg19: 143667240,
  vit_b_16: 86567656,
  vit_l_16: 304326632,
  resnet10_cub: 5008392,
  resnet12_cub: 5082376,
  resnet14_cub: 5377800,
  resnet16_cub: 6558472,
  resnet18_cub: 11279112,
  resnet20_cifar100: 278324,
  densenet40_k12_cifar100: 622360,
  preresnet20_cifar100: 278132,
  seresnet20_cifar100: 280697,
  sepreresnet20_cifar100: 280409,
};

for (const [name, count] of Object.entries(parameterCounts)) {
  Deno.test(`networkOf() gives ${name} as many parameters as the original`, async () => {
    const parameters = backboneParameters(await sizedBackbone(name, "released"));
    const trainable = [...parameters].filter(([key]) => !/running_(mean|var)$/.test(key));
    equal(
      trainable.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0),
      count,
    );
  });
}

const oneOfEachFamily = [
  ["resnet18", "world"],
  ["resnet50", "world"],
  ["densenet121", "world"],
  ["vgg13", "world"],
  ["vit_b_16", "world"],
  ["resnet10_cub", "released"],
  ["resnet10_cub", "world"],
  ["resnet20_cifar100", "released"],
  ["densenet40_k12_cifar100", "released"],
  ["densenet40_k12_cifar100", "world"],
  ["preresnet20_cifar100", "released"],
  ["seresnet20_cifar100", "released"],
  ["sepreresnet20_cifar100", "released"],
] as const;

for (const [name, sizes] of oneOfEachFamily) {
  Deno.test(`networkOf() computes what the original library's ${name} (${sizes}) does`, async () => {
    for (const [output, difference] of await parity(name, sizes)) {
      ok(difference < 1e-4, `${output} differs by ${difference}`);
    }
  });

  Deno.test(`differentiate() agrees with autograd on ${name} (${sizes})`, async () => {
    for (const [value, difference] of await gradientParity(name, sizes)) {
      ok(difference < 1e-5, `the gradient at ${value} differs by ${difference}`);
    }
  });
}
