import type { ArchitectureOf } from "../../config/mod.ts";
import { add, convolution, image, type Layer, maxPool, relu } from "./_layers.ts";
import { classifier, type Network } from "./network.ts";

/**
 * torchvision's ResNet (He et al., arXiv 1512.03385), with the stride of a bottleneck in its 3x3
 * convolution.
 */
export function resnet(sizes: ArchitectureOf<"resnet">): Network {
  const { imageSize, classes, width, blocks, bottleneck } = sizes;
  const depths: Record<string, Layer> = {};
  const stem = convolution(image(imageSize), {
    name: "conv1",
    norm: "bn1",
    channels: width,
    kernel: 7,
    stride: 2,
  });
  let x = maxPool(relu(stem), { kernel: 3, stride: 2, padding: 1 });
  for (const [stage, count] of blocks.entries()) {
    const name = `layer${stage + 1}`;
    for (let block = 0; block < count; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const options = { name: `${name}.${block}`, width: width * 2 ** stage, stride };
      x = bottleneck ? bottleneckBlock(x, options) : basicBlock(x, options);
      depths[options.name] = x;
    }
    depths[name] = x;
  }
  return classifier(depths, { map: x, lastLayer: "fc", classes });
}

interface BlockOptions {
  readonly name: string;
  readonly width: number;
  readonly stride: number;
}

function basicBlock(x: Layer, { name, width, stride }: BlockOptions): Layer {
  const first = normedConvolution(x, { name, position: 1, channels: width, kernel: 3, stride });
  const second = normedConvolution(relu(first), { name, position: 2, channels: width, kernel: 3 });
  return relu(add(second, shortcut(x, { name, channels: width, stride })));
}

function bottleneckBlock(x: Layer, { name, width, stride }: BlockOptions): Layer {
  const channels = 4 * width;
  const first = normedConvolution(x, { name, position: 1, channels: width, kernel: 1 });
  const second = normedConvolution(relu(first), {
    name,
    position: 2,
    channels: width,
    kernel: 3,
    stride,
  });
  const third = normedConvolution(relu(second), { name, position: 3, channels, kernel: 1 });
  return relu(add(third, shortcut(x, { name, channels, stride })));
}

function normedConvolution(
  x: Layer,
  { name, position, ...options }: {
    readonly name: string;
    readonly position: number;
    readonly channels: number;
    readonly kernel: number;
    readonly stride?: number;
  },
): Layer {
  return convolution(x, {
    ...options,
    name: `${name}.conv${position}`,
    norm: `${name}.bn${position}`,
  });
}

function shortcut(
  x: Layer,
  { name, channels, stride }: { name: string; channels: number; stride: number },
): Layer {
  if (stride === 1 && x.shape[0] === channels) return x;
  return convolution(x, {
    name: `${name}.downsample.0`,
    norm: `${name}.downsample.1`,
    channels,
    kernel: 1,
    stride,
  });
}
