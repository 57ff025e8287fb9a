import { imageFeatures, storedImageFeatures } from "../activations/mod.ts";
import type { ImageSet } from "../images/mod.ts";
import { runtimeVersion } from "../onnx/mod.ts";
import type { Tensor } from "../tensor/mod.ts";
import type { ImageModel } from "./models.ts";
import { partedStage, type Stage, type StageContext } from "./stage.ts";

/** Which images of which dataset, known once the stages before are there. */
export interface ChosenImages {
  readonly images: ImageSet;
  readonly indices: ArrayLike<number>;
}

/** What a features stage needs to know. */
export interface FeaturesStageOptions {
  /** Names the images in the plan. */
  readonly of: string;
  readonly needs: readonly Stage<unknown>[];
  readonly choose: (context: StageContext) => Promise<ChosenImages>;
  /** How many images there are, at most. */
  readonly images: number;
  readonly batch: number;
  readonly device: string;
}

/** The features of chosen images, [images, width], stored batch by batch. */
export function featuresStage(
  model: ImageModel,
  { of, needs, choose, images: count, batch, device }: FeaturesStageOptions,
): Stage<Tensor> {
  return partedStage({
    id: `features ${model.name} ${of}`,
    stage: "features",
    version: 2,
    inputs: { model: model.identity, batch, device, runtime: runtimeVersion },
    needs,
    work: `${model.name} on the images of ${of}`,
    estimate: model.cost && {
      images: count,
      multiplyAdds: count * model.cost.multiplyAdds,
      bytes: count * model.cost.width * Float32Array.BYTES_PER_ELEMENT,
    },
    loadParts: (store, { ref, count: rows }) => storedImageFeatures({ rows, batch, store, ref }),
    compute: async (context, ref) => {
      const { store, signal, onProgress } = context;
      const { images, indices } = await choose(context);
      const openEncoder = () => model.openEncoder(context);
      const value = await imageFeatures(images, {
        indices,
        batch,
        openEncoder,
        store,
        ref,
        signal,
        onProgress,
      });
      return { value, count: indices.length };
    },
  });
}
