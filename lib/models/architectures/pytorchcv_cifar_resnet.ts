import type { ArchitectureOf } from "../../config/mod.ts";
import { batchNorm, convolution, image, type Layer, relu } from "./_layers.ts";
import { convolutionBlock, preactivationUnit, residualUnit } from "./_pytorchcv.ts";
import { classifier, type Network } from "./network.ts";

/**
 * pytorchcv's ResNet, PreResNet, SE-ResNet and SE-PreResNet for CIFAR, with basic blocks. In its
 * SE-PreResNet the stem is normed and activated, and nothing activates the last unit's output.
 */
export function pytorchcvCifarResnet(sizes: ArchitectureOf<"pytorchcv_cifar_resnet">): Network {
  const { imageSize, classes, width, blocks, preactivation, squeezeExcitation } = sizes;
  const depths: Record<string, Layer> = {};
  const stemOptions = { name: "features.init_block", channels: width, kernel: 3 };
  const plainPreactivation = preactivation && !squeezeExcitation;
  let x = plainPreactivation
    ? convolution(image(imageSize), stemOptions)
    : relu(convolutionBlock(image(imageSize), stemOptions));
  depths["features.init_block"] = x;
  const makeUnit = preactivation ? preactivationUnit : residualUnit;
  for (const [stage, count] of blocks.entries()) {
    const name = `features.stage${stage + 1}`;
    for (let unit = 0; unit < count; unit++) {
      x = makeUnit(x, {
        name: `${name}.unit${unit + 1}`,
        channels: width * 2 ** stage,
        stride: stage > 0 && unit === 0 ? 2 : 1,
        squeezeExcitation,
      });
      depths[`${name}.unit${unit + 1}`] = x;
    }
    depths[name] = x;
  }
  if (plainPreactivation) x = relu(batchNorm(x, "features.post_activ.bn"));
  return classifier(depths, { map: x, lastLayer: "output", classes });
}
