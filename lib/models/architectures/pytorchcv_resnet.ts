import type { ArchitectureOf } from "../../config/mod.ts";
import { image, type Layer, maxPool, relu } from "./_layers.ts";
import { convolutionBlock, residualUnit } from "./_pytorchcv.ts";
import { classifier, type Network } from "./network.ts";

/** pytorchcv's ResNet with basic blocks (resnet10 to resnet18, with 200 classes for CUB-200-2011). */
export function pytorchcvResnet(sizes: ArchitectureOf<"pytorchcv_resnet">): Network {
  const { imageSize, classes, width, blocks } = sizes;
  const depths: Record<string, Layer> = {};
  const stem = convolutionBlock(image(imageSize), {
    name: "features.init_block.conv",
    channels: width,
    kernel: 7,
    stride: 2,
  });
  let x = maxPool(relu(stem), { kernel: 3, stride: 2, padding: 1 });
  depths["features.init_block"] = x;
  for (const [stage, count] of blocks.entries()) {
    const name = `features.stage${stage + 1}`;
    for (let unit = 0; unit < count; unit++) {
      const stride = stage > 0 && unit === 0 ? 2 : 1;
      const channels = width * 2 ** stage;
      x = residualUnit(x, { name: `${name}.unit${unit + 1}`, channels, stride });
      depths[`${name}.unit${unit + 1}`] = x;
    }
    depths[name] = x;
  }
  return classifier(depths, { map: x, lastLayer: "output", classes });
}
