import type { ArchitectureOf } from "../../config/mod.ts";
import {
  averagePool,
  convolution,
  flatten,
  image,
  type Layer,
  linear,
  maxPool,
  relu,
} from "./_layers.ts";
import { classifier, type Network } from "./network.ts";

/**
 * torchvision's VGG without batch norm (Simonyan and Zisserman, arXiv 1409.1556). The features are
 * those after the second hidden layer; dropout does nothing at inference.
 *
 * @throws {RangeError} when the last feature map is no multiple of `pooledSize`.
 */
export function vgg(sizes: ArchitectureOf<"vgg">): Network {
  const { imageSize, classes, channels, blocks, pooledSize, hidden } = sizes;
  const depths: Record<string, Layer> = {};
  let x = image(imageSize);
  // Position in torchvision's nn.Sequential: convolution, ReLU, ..., pooling.
  let position = 0;
  let map = x;
  for (const [stage, convolutions] of blocks.entries()) {
    for (let i = 0; i < convolutions; i++) {
      const name = `features.${position}`;
      x = relu(convolution(x, { name, channels: channels[stage]!, kernel: 3, bias: true }));
      depths[`features.${position + 1}`] = map = x;
      position += 2;
    }
    x = depths[`features.${position}`] = maxPool(x, { kernel: 2, stride: 2 });
    position++;
  }
  const flat = flatten(adaptiveAveragePool(x, pooledSize));
  const first = relu(linear(flat, { name: "classifier.0", width: hidden }));
  const features = relu(linear(first, { name: "classifier.3", width: hidden }));
  depths["classifier.1"] = first;
  return classifier(depths, { map, features, lastLayer: "classifier.6", classes });
}

/** AdaptiveAvgPool2d where its windows are equal: the input's side is a multiple of the output's. */
function adaptiveAveragePool(x: Layer, side: number): Layer {
  const kernel = x.shape[1]! / side;
  if (kernel === 1) return x;
  if (!Number.isInteger(kernel)) {
    throw new RangeError(
      `A VGG's last feature map of side ${x.shape[1]} must be a multiple of pooledSize ${side}.`,
    );
  }
  return averagePool(x, { kernel, stride: kernel });
}
