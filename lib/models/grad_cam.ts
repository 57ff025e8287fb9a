import type { SizedBackbone } from "../config/mod.ts";
import { type Device, differentiate, gradientName } from "../onnx/mod.ts";
import { type Tensor, tensor, zeros } from "../tensor/mod.ts";
import { type Layer, type Network, networkOf } from "./architectures/mod.ts";
import { backboneParameters, openModelSession } from "./backbone.ts";
import { networkGraph } from "./network_graph.ts";
import { checkStateDict } from "./state_dict.ts";

/** Where a backbone looks for a class. */
export interface GradCam {
  /** Side of the images in pixels. */
  readonly imageSize: number;
  /**
   * Grad-CAM of each image for one logit, [images, height, width], 0 or more; the unit is that of
   * the logit's gradient times an activation.
   *
   * @param pixels preprocessed images, CHW one after another.
   * @param rows of each image the row of its logit in a last layer's weight, [images, width]. The
   * last layer may be any that takes the backbone's features, a corrected one too.
   * @throws {RangeError} when a row is not as wide as the features.
   */
  mapsOf(pixels: Float32Array, rows: Tensor): Promise<Tensor>;
  close(): Promise<void>;
}

/** How a backbone is opened for Grad-CAM. */
export interface GradCamOptions {
  readonly weights: ReadonlyMap<string, Tensor>;
  /**
   * The last map of at least so many cells a side is taken, or the last of the finest where none has
   * as many.
   */
  readonly cells: number;
  readonly device?: Device | undefined;
  readonly threads?: number | undefined;
}

/**
 * Opens Grad-CAM of a backbone (Selvaraju et al. 2017, arXiv 1610.02391, Eq. 1 and 2): the map is
 * ReLU(sum over channels c of alpha_c A_c), where A_c is a channel of a convolutional map and alpha_c
 * the mean over its positions of the gradient of the logit there. The gradient is that of the graph,
 * differentiated once from the features; the last layer is linear, so the row of a class in its weight
 * is what the features' gradient starts from.
 *
 * The map is the last one of enough cells; of a VGG that before its last pooling counts as the last.
 * A vision transformer has no such map: its patch tokens at the input of the last attention,
 * normalised, take its place, in the order of the patches; the class token is left out.
 *
 * @throws {UserError} when the weights do not fit.
 */
export async function openGradCam(
  config: SizedBackbone,
  { weights, cells, ...options }: GradCamOptions,
): Promise<GradCam> {
  const { name, architecture } = config;
  const network = networkOf(architecture);
  const { outputs } = network;
  const map = lastMap(network, cells);
  const features = outputs["features"]!;
  const parameters = checkStateDict(weights, { name, parameters: backboneParameters(config) });
  const graph = networkGraph({ map, features }, parameters);
  const session = await openModelSession(
    differentiate(graph, { of: "features", at: ["map"], outputs: ["map"] }),
    options,
  );
  const { imageSize } = architecture;
  const [width] = features.shape as [number];
  return {
    imageSize,
    mapsOf: async (pixels, rows) => {
      const [images = 0] = rows.shape;
      if (rows.shape[1] !== width) {
        throw new RangeError(`Grad-CAM of features of ${width} with rows of ${rows.shape[1]}.`);
      }
      const wanted = gradientName("map");
      const { map, [wanted]: gradient } = await session.run({
        pixels: tensor([images, 3, imageSize, imageSize], pixels),
        [gradientName("features")]: rows,
      }, ["map", wanted]);
      return weighedMaps(byChannel(map!), byChannel(gradient!));
    },
    close: () => session.close(),
  };
}

/** The network's last map of at least `cells` cells a side, or of the most that one has. */
function lastMap({ map, outputs }: Network, cells: number): Layer {
  if (map.shape.length !== 3) return map;
  const maps = [...Object.values(outputs).filter(({ shape }) => shape.length === 3), map];
  const least = Math.min(cells, Math.max(...maps.map(({ shape }) => shape[1]!)));
  return maps.findLast(({ shape }) => shape[1]! >= least)!;
}

/** [images, channels, height, width] as it is; of [images, 1 + patches, channels] the patches. */
function byChannel(values: Tensor): Tensor {
  if (values.shape.length === 4) return values;
  const [images, tokens, channels] = values.shape as [number, number, number];
  const patches = tokens - 1;
  const side = Math.sqrt(patches);
  const maps = zeros([images, channels, side, side]);
  for (let image = 0; image < images; image++) {
    for (let patch = 0; patch < patches; patch++) {
      const start = (image * tokens + 1 + patch) * channels;
      for (let c = 0; c < channels; c++) {
        maps.data[(image * channels + c) * patches + patch] = values.data[start + c]!;
      }
    }
  }
  return maps;
}

function weighedMaps(maps: Tensor, gradients: Tensor): Tensor {
  const [images, channels, height, width] = maps.shape as [number, number, number, number];
  const positions = height * width;
  const weighed = zeros([images, height, width]);
  for (let image = 0; image < images; image++) {
    const sums = new Float64Array(positions);
    for (let c = 0; c < channels; c++) {
      const start = (image * channels + c) * positions;
      let alpha = 0;
      for (let i = start; i < start + positions; i++) alpha += gradients.data[i]! / positions;
      for (let at = 0; at < positions; at++) sums[at]! += alpha * maps.data[start + at]!;
    }
    sums.forEach((sum, at) => weighed.data[image * positions + at] = Math.max(0, sum));
  }
  return weighed;
}
