import type { FeatureRows } from "../../activations/mod.ts";
import { type CavEngine, textActivations } from "../../cav/mod.ts";
import { range, row, takeRows, type Tensor, zeros } from "../../tensor/mod.ts";

/** Images that are compared with directions at once. */
export const imagesPerBlock = 2 ** 16;
/** Cosines that are held at once. */
export const cosinesPerBlock = 2 ** 27;

/**
 * The cosine of each direction with each image, some directions at a time: [directions of the block,
 * images]. All of the images are read once for each block.
 *
 * @param directions texts or CAVs, [directions, width]; @param images [images, width].
 */
export async function* activationBlocks(
  directions: Tensor,
  images: FeatureRows,
  { engine }: { readonly engine: CavEngine },
): AsyncGenerator<{ readonly start: number; readonly activations: Tensor }> {
  const [count = 0] = directions.shape;
  const [total] = images.shape;
  const size = Math.max(1, Math.floor(cosinesPerBlock / Math.max(1, total)));
  for (let start = 0; start < count; start += size) {
    const some = takeRows(directions, range(start, Math.min(start + size, count)));
    yield { start, activations: await activationsOf(some, images, engine) };
  }
}

async function activationsOf(
  directions: Tensor,
  images: FeatureRows,
  engine: CavEngine,
): Promise<Tensor> {
  const [count = 0] = directions.shape;
  const [total] = images.shape;
  const activations = zeros([count, total]);
  for (let start = 0; start < total; start += imagesPerBlock) {
    const block = await images.take(range(start, Math.min(start + imagesPerBlock, total)));
    const cosines = await textActivations(directions, block, { engine });
    for (let i = 0; i < count; i++) row(activations, i).set(row(cosines, i), start);
  }
  return activations;
}
