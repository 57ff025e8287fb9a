import type { FeatureRows } from "../../activations/mod.ts";
import type { CavEngine } from "../../cav/mod.ts";
import type { LastLayer } from "../../models/mod.ts";
import { range, row, type Tensor } from "../../tensor/mod.ts";

/** Images whose logits are computed at once; it bounds the memory. */
const blockSize = 1024;

/**
 * The logits of some last layers at all images, block by block: [at most 1024, classes] of each.
 * The features of a block are read once for all layers.
 */
export async function* logitBlocks<const Layers extends readonly LastLayer[]>(
  features: FeatureRows,
  layers: Layers,
  { engine }: { readonly engine: CavEngine },
): AsyncGenerator<
  { readonly start: number; readonly logits: { readonly [At in keyof Layers]: Tensor } }
> {
  const [images] = features.shape;
  for (let start = 0; start < images; start += blockSize) {
    const rows = await features.take(range(start, Math.min(images, start + blockSize)));
    const logits: Tensor[] = [];
    for (const { weight, bias } of layers) {
      logits.push(withBias(await engine.product(rows, weight), bias));
    }
    yield { start, logits: logits as unknown as { readonly [At in keyof Layers]: Tensor } };
  }
}

/** Adds the bias to each row of a product that is no one else's. */
function withBias(product: Tensor, { data: bias }: Tensor): Tensor {
  for (let i = 0; i < product.shape[0]!; i++) {
    const logits = row(product, i);
    for (let k = 0; k < bias.length; k++) logits[k]! += bias[k]!;
  }
  return product;
}
