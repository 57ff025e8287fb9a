import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type HubModelConfig, loadConfig, type SizedBackbone } from "../config/mod.ts";
import type { HubModelOptions } from "./_hub_model.ts";
import { outputLayers } from "./_output_layers.ts";
import type { Layer } from "./architectures/mod.ts";
import { layersOf } from "./network_graph.ts";

/** What the features of one image cost. */
export interface FeatureCost {
  /** Numbers of the preprocessed image. */
  readonly pixels: number;
  /** Multiply-adds from the pixels to the features; a FLOP count is twice that. */
  readonly multiplyAdds: number;
  /** Length of the features. */
  readonly width: number;
  /** Numbers that the model learned, as far as they are counted: a lower bound. */
  readonly parameters: number;
  /**
   * How often those are held at once while it is opened, at most. A backbone: as its file, as its
   * tensors, as a graph, as what the runtime reads of that, and as it lays it out. A file that the
   * runtime opens: the last two times.
   */
  readonly copies: number;
  /** Numbers of the layers that are held at once, at most: those that are still to be read. */
  readonly activations: number;
}

/** What an output of a backbone costs, and its gradients. */
export interface BackboneCost extends FeatureCost {
  /** Numbers of the layers behind the output, whose values the gradients at it take. */
  readonly laterActivations: number;
}

/**
 * Counts the multiply-adds of convolutions, linear layers and attention, as torchvision's table of
 * weights does; the rest is small. Of a transformer's last block, which is computed for the class
 * token only, next to nothing is counted.
 *
 * @param output one of {@linkcode backboneOutputs}.
 */
export function featureCost(config: SizedBackbone, output = "features"): BackboneCost {
  const layers = outputLayers(config);
  const all = layersOf([layers["logits"]!]);
  const counted = layersOf([layers[output]!]);
  const before = new Set(counted);
  return {
    pixels: 3 * config.architecture.imageSize ** 2,
    multiplyAdds: counted.reduce((sum, layer) => sum + multiplyAddsOf(layer), 0),
    width: product(layers[output]!.shape),
    parameters: all.reduce((sum, { parameters }) => sum + weightsOf(parameters).total, 0),
    copies: 5,
    activations: heldAtOnce(counted),
    laterActivations: all.filter((layer) => !before.has(layer))
      .reduce((sum, { shape }) => sum + product(shape), 0),
  };
}

/** The most numbers that layers hold at once: each is let go when the last that reads it is done. */
function heldAtOnce(layers: readonly Layer[]): number {
  const lastReader = new Map(layers.flatMap((layer) => layer.inputs.map((read) => [read, layer])));
  let [held, most] = [0, 0];
  for (const layer of layers) {
    held += product(layer.shape);
    most = Math.max(most, held);
    for (const read of new Set(layer.inputs)) {
      if (lastReader.get(read) === layer) held -= product(read.shape);
    }
  }
  return most;
}

/** The multiply-adds of one layer: each of its weights meets each position. */
function multiplyAddsOf({ shape, parameters }: Layer): number {
  const positions = shape.length === 3 ? shape[1]! * shape[2]! : shape.length === 2 ? shape[0]! : 1;
  const { total, attention } = weightsOf(parameters);
  // Scores and their use: each token meets each, over the width.
  return positions * total + 2 * positions ** 2 * attention;
}

/** How many weights of matrices parameters hold, and the width of the attention among them. */
function weightsOf(parameters: Layer["parameters"]) {
  let [total, attention] = [0, 0];
  for (const [key, extents] of Object.entries(parameters)) {
    if (!key.endsWith("weight") || extents.length < 2) continue;
    total += product(extents);
    if (key.endsWith("in_proj_weight")) attention += extents[1]!;
  }
  return { total, attention };
}

function product(extents: readonly number[]): number {
  return extents.reduce((product, extent) => product * extent, 1);
}

const size = (value: number) => z.int().positive().default(value);

/** The sizes of a CLIP's image tower, with the defaults that the hub's files leave out: ViT-B/32. */
const clipConfig = z.looseObject({
  projection_dim: size(512),
  vision_config: z.looseObject({
    hidden_size: size(768),
    intermediate_size: size(3072),
    num_hidden_layers: size(12),
    image_size: size(224),
    patch_size: size(32),
  }).optional(),
});

/**
 * The cost of a CLIP's image tower: as it is published, else counted from its config.json, which
 * tells the sizes of a vision transformer; undefined where neither says it.
 *
 * @throws {UserError} when the file is malformed.
 */
export async function vlFeatureCost(
  config: HubModelConfig,
  { hubFolder }: Pick<HubModelOptions, "hubFolder">,
): Promise<FeatureCost | undefined> {
  if (config.published !== undefined) return publishedCost(config.published);
  if (!("hub" in config) || config.layout === "open_clip") return undefined;
  const path = join(hubFolder, config.hub, "config.json");
  if (!existsSync(path)) return undefined;
  const { projection_dim: width, vision_config: sizes } = await loadConfig(path, clipConfig);
  if (sizes === undefined) return undefined;
  const { hidden_size: hidden, intermediate_size: inner, patch_size: patch } = sizes;
  const patches = Math.floor(sizes.image_size / patch) ** 2;
  const tokens = patches + 1;
  const weights = 4 * hidden ** 2 + 2 * hidden * inner;
  const block = tokens * weights + 2 * tokens ** 2 * hidden;
  const embedding = 3 * patch ** 2 * hidden;
  const layers = sizes.num_hidden_layers;
  return {
    pixels: 3 * sizes.image_size ** 2,
    multiplyAdds: patches * embedding + layers * block + hidden * width,
    width,
    parameters: embedding + layers * weights + hidden * width,
    copies: 2,
    activations: tokens * (hidden + inner),
  };
}

/** The activations are not published; next to the weights they are small. */
function publishedCost(
  { imageSize, width, imageGflops, millionParameters }: NonNullable<HubModelConfig["published"]>,
): FeatureCost {
  return {
    pixels: 3 * imageSize ** 2,
    multiplyAdds: imageGflops * 1e9 / 2,
    width,
    parameters: millionParameters * 1e6,
    copies: 2,
    activations: 0,
  };
}
