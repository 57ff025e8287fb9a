import type { FeatureRows } from "../../activations/mod.ts";
import { openEngine, readBundle, textActivations } from "../../cav/mod.ts";
import { UserError } from "../../files/mod.ts";
import { dot, range, row, type Tensor, tensor, zeros } from "../../tensor/mod.ts";
import { artifactKind, tensorCodec } from "../stage.ts";

/** What a bundle says of images, both [images, concepts]. */
export interface Scores {
  /** The cosine of vector and feature, its mean over seeds. */
  readonly activations: Tensor;
  /** The share of seeds whose vector calls the image positive. */
  readonly positive: Tensor;
}

/** Images that are read at once. */
const blockSize = 1024;

/** Scores images by every concept of a bundle, with the vectors of one method. */
export const scoresKind = artifactKind<
  { readonly features0: FeatureRows },
  { readonly bundle: string; readonly method: number; readonly runtime: string },
  { readonly folder: string },
  Scores
>({
  name: "scores",
  version: 1,
  codec: tensorCodec(["activations", "positive"]) as never,
  compute: async (node, context) => {
    const { inputs: { bundle, method }, how: { folder } } = node;
    const { config: { seeds, concepts, model: { dim } }, tensors, sha256 } = await readBundle(
      folder,
    );
    if (sha256 !== bundle) {
      throw new UserError(`The bundle ${folder} was changed meanwhile. Run the command again.`);
    }
    const features = await context.need(node, "features0");
    const [images, width] = features.shape;
    if (images > 0 && width !== dim) {
      throw new UserError(
        `The model gives ${width} numbers an image, and the bundle's vectors have ${dim}.`,
      );
    }
    const [activations, positive] = [
      zeros([images, concepts.length]),
      zeros([images, concepts.length]),
    ];
    const engine = await openEngine("ort", context);
    const ofSeed = concepts.length * dim;
    try {
      for (let start = 0; start < images; start += blockSize) {
        const rows = await features.take(range(start, Math.min(images, start + blockSize)));
        for (const s of seeds.keys()) {
          const set = method * seeds.length + s;
          const vectors = tensor(
            [concepts.length, dim],
            tensors.vectors.data.slice(set * ofSeed, (set + 1) * ofSeed),
          );
          const cosines = await textActivations(vectors, rows, { engine });
          for (let i = 0; i < rows.shape[0]!; i++) {
            for (let c = 0; c < concepts.length; c++) {
              const at = (start + i) * concepts.length + c;
              activations.data[at]! += row(cosines, c)[i]! / seeds.length;
              const threshold = tensors.thresholds.data[set * concepts.length + c]!;
              const score = dot(row(vectors, c), row(rows, i));
              if (score > threshold) positive.data[at]! += 1 / seeds.length;
            }
          }
        }
        context.onProgress(start + rows.shape[0]!, images);
      }
    } finally {
      await engine.close();
    }
    return { activations, positive };
  },
});
