import type { FeatureRows } from "../../activations/mod.ts";
import type { CavEngine } from "../../cav/mod.ts";
import type { LastLayer } from "../../models/mod.ts";
import { row, type Tensor } from "../../tensor/mod.ts";

/** Images whose logits are computed at once; it bounds the memory. */
const blockSize = 1024;

/** The logits of a last layer at all images, block by block: [at most 1024, classes]. */
export async function* logitBlocks(
  features: FeatureRows,
  layer: LastLayer,
  { engine }: { readonly engine: CavEngine },
): AsyncGenerator<{ readonly start: number; readonly logits: Tensor }> {
  const [images] = features.shape;
  for (let start = 0; start < images; start += blockSize) {
    const count = Math.min(blockSize, images - start);
    const rows = await features.take(Array.from({ length: count }, (_, i) => start + i));
    yield { start, logits: withBias(await engine.product(rows, layer.weight), layer.bias) };
  }
}

/** Adds the bias to each row of a product that is no one else's. */
export function withBias(product: Tensor, { data: bias }: Tensor): Tensor {
  for (let i = 0; i < product.shape[0]!; i++) {
    const logits = row(product, i);
    for (let k = 0; k < bias.length; k++) logits[k]! += bias[k]!;
  }
  return product;
}
