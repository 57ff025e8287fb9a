import type { ArchitectureOf } from "../../config/mod.ts";
import {
  averagePool,
  batchNorm,
  concatenate,
  convolution,
  image,
  type Layer,
  relu,
} from "./_layers.ts";
import { classifier, type Network } from "./network.ts";

/** pytorchcv's DenseNet without bottleneck for CIFAR. */
export function pytorchcvCifarDensenet(sizes: ArchitectureOf<"pytorchcv_cifar_densenet">): Network {
  const { imageSize, classes, initialChannels, growth, blocks } = sizes;
  const depths: Record<string, Layer> = {};
  const stem = { name: "features.init_block", channels: initialChannels, kernel: 3 };
  let x = depths["features.init_block"] = convolution(image(imageSize), stem);
  for (const [stage, count] of blocks.entries()) {
    const name = `features.stage${stage + 1}`;
    if (stage > 0) {
      const halved = preactivatedConvolution(x, {
        name: `${name}.trans${stage + 1}.conv`,
        channels: Math.floor(x.shape[0]! / 2),
        kernel: 1,
      });
      x = averagePool(halved, { kernel: 2, stride: 2 });
    }
    for (let unit = 1; unit <= count; unit++) {
      const grown = preactivatedConvolution(x, {
        name: `${name}.unit${unit}.conv`,
        channels: growth,
        kernel: 3,
      });
      x = depths[`${name}.unit${unit}`] = concatenate([x, grown]);
    }
    depths[name] = x;
  }
  const map = relu(batchNorm(x, "features.post_activ.bn"));
  return classifier(depths, { map, lastLayer: "output", classes });
}

function preactivatedConvolution(
  x: Layer,
  { name, ...options }: {
    readonly name: string;
    readonly channels: number;
    readonly kernel: number;
  },
): Layer {
  const activated = relu(batchNorm(x, `${name}.bn`));
  return convolution(activated, { ...options, name: `${name}.conv` });
}
