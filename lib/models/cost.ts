import { join } from "node:path";
import { z } from "zod";
import { type HubModelConfig, loadConfig, type SizedBackbone } from "../config/mod.ts";
import type { HubModelOptions } from "./_hub_model.ts";
import { networkOf } from "./architectures/mod.ts";
import { layersOf } from "./network_graph.ts";

/** What the features of one image cost. */
export interface FeatureCost {
  /** Multiply-adds of the whole network; a FLOP count is twice that. */
  readonly multiplyAdds: number;
  /** Length of the features. */
  readonly width: number;
  /** Numbers that the model learned, as far as they are counted: a lower bound. */
  readonly parameters: number;
}

/**
 * Counts the multiply-adds of convolutions, linear layers and attention, as torchvision's table of
 * weights does; the rest is small. Of a transformer's last block, which is computed for the class
 * token only, next to nothing is counted.
 */
export function featureCost({ architecture }: SizedBackbone): FeatureCost {
  const { outputs } = networkOf(architecture);
  let multiplyAdds = 0;
  let counted = 0;
  for (const { shape, parameters } of layersOf([outputs["logits"]!])) {
    const positions = shape.length === 3
      ? shape[1]! * shape[2]!
      : shape.length === 2
      ? shape[0]!
      : 1;
    for (const [key, extents] of Object.entries(parameters)) {
      if (!key.endsWith("weight") || extents.length < 2) continue;
      const size = extents.reduce((product, extent) => product * extent, 1);
      counted += size;
      multiplyAdds += positions * size;
      // Scores and their use: each token meets each, over the width.
      if (key.endsWith("in_proj_weight")) multiplyAdds += 2 * positions ** 2 * extents[1]!;
    }
  }
  return { multiplyAdds, width: outputs["features"]!.shape[0]!, parameters: counted };
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
 * Counts the multiply-adds of a fetched CLIP's vision transformer from its config.json; undefined
 * where that file does not tell its sizes.
 *
 * @throws {UserError} when the file is missing or malformed.
 */
export async function vlFeatureCost(
  config: HubModelConfig,
  { hubFolder }: Pick<HubModelOptions, "hubFolder">,
): Promise<FeatureCost | undefined> {
  if (!("hub" in config) || config.layout === "open_clip") return undefined;
  const path = join(hubFolder, config.hub, "config.json");
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
    multiplyAdds: patches * embedding + layers * block + hidden * width,
    width,
    parameters: embedding + layers * weights + hidden * width,
  };
}
