import type { ArchitectureOf } from "../../config/mod.ts";
import { add, flatten, gelu, image, type Layer, linear } from "./_layers.ts";
import { attention, embedPatches, firstToken, layerNorm } from "./_tokens.ts";
import { classifier, type Network } from "./network.ts";

/**
 * torchvision's vision transformer (Dosovitskiy et al., arXiv 2010.11929). Only the class token
 * leaves the encoder, so the last block computes that one alone and has no output of its own.
 */
export function vit(sizes: ArchitectureOf<"vit">): Network {
  const { imageSize, classes, patchSize, layers, heads, hidden, mlp } = sizes;
  const depths: Record<string, Layer> = {};
  let x = embedPatches(image(imageSize), { patchSize, hidden });
  let map = x;
  for (let index = 0; index < layers; index++) {
    const name = `encoder.layers.encoder_layer_${index}`;
    const normed = map = layerNorm(x, `${name}.ln_1`);
    const last = index === layers - 1;
    const attended = attention(last ? firstToken(normed) : normed, normed, {
      name: `${name}.self_attention`,
      heads,
    });
    x = add(last ? firstToken(x) : x, attended);
    const widened = linear(layerNorm(x, `${name}.ln_2`), { name: `${name}.mlp.0`, width: mlp });
    x = add(x, linear(gelu(widened), { name: `${name}.mlp.3`, width: hidden }));
    if (!last) depths[name] = x;
  }
  const features = flatten(layerNorm(x, "encoder.ln"));
  return classifier(depths, { map, features, lastLayer: "heads.head", classes });
}
