import type { FeatureRows } from "../../activations/mod.ts";
import { openEngine } from "../../cav/mod.ts";
import { UserError } from "../../files/mod.ts";
import type { LastLayer } from "../../models/mod.ts";
import { row, type Tensor, zeros } from "../../tensor/mod.ts";
import { artifactKind, tensorCodec } from "../stage.ts";
import { logitBlocks } from "./_logits.ts";
import type { ClassLabels } from "./class_labels.ts";

/** How a model mistakes the classes of images; rows are the images' classes. */
export interface Confusions {
  /** Images of each class by the class that has the highest logit, [classes, classes]. */
  readonly counts: Tensor;
  /** The mean probability of each class over the images of one, [classes, classes]. */
  readonly probabilities: Tensor;
}

/** The confusions of a last layer on the training images. */
export const confusionsKind = artifactKind<
  { readonly features0: FeatureRows; readonly labels: ClassLabels; readonly layer: LastLayer },
  Record<never, never>,
  null,
  Confusions
>({
  name: "confusions",
  version: 1,
  codec: tensorCodec(["counts", "probabilities"]),
  compute: async (node, { need, device, onProgress }) => {
    const features = await need(node, "features0");
    const { labels, classes } = await need(node, "labels");
    const layer = await need(node, "layer");
    const tally = createTally(classes.length);
    const engine = await openEngine("ort", { device });
    try {
      for await (const { start, logits: [logits] } of logitBlocks(features, [layer], { engine })) {
        const count = logits.shape[0]!;
        for (let i = 0; i < count; i++) {
          const ofImage = row(logits, i);
          if (!ofImage.every(Number.isFinite)) {
            throw new UserError(
              `The logits of training image ${
                start + i
              } for "${node.id}" are not finite numbers. ` +
                `Check the weights of the model.`,
            );
          }
          tally.add(ofImage, labels[start + i]!);
        }
        onProgress(start + count, labels.length);
      }
    } finally {
      await engine.close();
    }
    return tally.confusions();
  },
});

function createTally(classes: number) {
  const counts = zeros([classes, classes]);
  const sums = new Float64Array(classes ** 2);
  return {
    add: (logits: Float32Array, label: number): void => {
      const highest = logits.reduce((best, logit, k) => logit > logits[best]! ? k : best, 0);
      row(counts, label)[highest]!++;
      const exponentials = Float64Array.from(logits, (logit) => Math.exp(logit - logits[highest]!));
      const total = exponentials.reduce((sum, value) => sum + value, 0);
      exponentials.forEach((value, k) => sums[label * classes + k]! += value / total);
    },
    confusions: (): Confusions => {
      const probabilities = zeros([classes, classes]);
      for (let label = 0; label < classes; label++) {
        const images = row(counts, label).reduce((sum, count) => sum + count, 0);
        row(probabilities, label).set(
          sums.subarray(label * classes, (label + 1) * classes).map((sum) => sum / images),
        );
      }
      return { counts, probabilities };
    },
  };
}
