import type { ArchitectureOf } from "../../config/mod.ts";
import {
  averagePool,
  batchNorm,
  concatenate,
  convolution,
  image,
  type Layer,
  maxPool,
  relu,
} from "./_layers.ts";
import { classifier, type Network } from "./network.ts";

/** torchvision's DenseNet-BC (Huang et al., arXiv 1608.06993). */
export function densenet(sizes: ArchitectureOf<"densenet">): Network {
  const { imageSize, classes, initialChannels, blocks } = sizes;
  const depths: Record<string, Layer> = {};
  const stem = convolution(image(imageSize), {
    name: "features.conv0",
    norm: "features.norm0",
    channels: initialChannels,
    kernel: 7,
    stride: 2,
  });
  let x = maxPool(relu(stem), { kernel: 3, stride: 2, padding: 1 });
  depths["features.pool0"] = x;
  for (const [index, layers] of blocks.entries()) {
    const block = `features.denseblock${index + 1}`;
    x = depths[block] = denseBlock(x, { name: block, layers, ...sizes });
    if (index === blocks.length - 1) break;
    const name = `features.transition${index + 1}`;
    x = depths[name] = transition(x, name);
  }
  const map = relu(batchNorm(x, "features.norm5"));
  return classifier(depths, { map, lastLayer: "classifier", classes });
}

function denseBlock(
  x: Layer,
  { name, layers, growth, bottleneckFactor }: {
    readonly name: string;
    readonly layers: number;
    readonly growth: number;
    readonly bottleneckFactor: number;
  },
): Layer {
  let all = x;
  for (let index = 1; index <= layers; index++) {
    const layer = `${name}.denselayer${index}`;
    const bottleneck = convolution(relu(batchNorm(all, `${layer}.norm1`)), {
      name: `${layer}.conv1`,
      norm: `${layer}.norm2`,
      channels: bottleneckFactor * growth,
      kernel: 1,
    });
    const grown = convolution(relu(bottleneck), {
      name: `${layer}.conv2`,
      channels: growth,
      kernel: 3,
    });
    all = concatenate([all, grown]);
  }
  return all;
}

function transition(x: Layer, name: string): Layer {
  const halved = convolution(relu(batchNorm(x, `${name}.norm`)), {
    name: `${name}.conv`,
    channels: Math.floor(x.shape[0]! / 2),
    kernel: 1,
  });
  return averagePool(halved, { kernel: 2, stride: 2 });
}
