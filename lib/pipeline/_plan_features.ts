import type { FeatureRows } from "../activations/mod.ts";
import type { ConceptImageSet } from "../concepts/mod.ts";
import { decoderVersion } from "../images/mod.ts";
import { runtimeVersion } from "../onnx/mod.ts";
import { featuresEstimate } from "./_estimates.ts";
import type { GraphBuilder } from "./graph.ts";
import type { PlannedImages } from "./plan_images.ts";
import type { PlannedModel } from "./plan_models.ts";
import type { PlanRequest } from "./plan_request.ts";
import type { Stage } from "./stage.ts";
import { featuresKind, type ReadableImages } from "./stages/mod.ts";

/** How the intermediate features are pooled, where they are. */
export function poolingOf({ pooled }: PlannedModel, output: string) {
  return output === "intermediate_pooled" && pooled !== undefined ? { pooled } : {};
}

/** The stage of a model's features of images: those of some concepts, or all that can be read. */
export function planFeatures(
  { id, images: { name, of, files, count }, chosen, model, output }: {
    readonly id: string;
    readonly images: PlannedImages;
    readonly chosen:
      | { readonly concepts: Stage<ConceptImageSet> }
      | { readonly readable: Stage<ReadableImages> };
    readonly model: PlannedModel;
    readonly output: string;
  },
  { graph, device, batch }: {
    readonly graph: GraphBuilder;
    readonly device: PlanRequest["device"];
    /** Images that pass the model at once. */
    readonly batch: number;
  },
): Stage<FeatureRows> {
  return graph.stage(featuresKind, {
    id,
    inputs: {
      of,
      model: model.identity,
      output,
      ...poolingOf(model, output),
      device,
      runtime: runtimeVersion,
      decoder: decoderVersion,
    },
    needs: { files, ...chosen },
    how: { model: model.how, batch },
    work: `${model.name} on the images of ${name}`,
    estimate: model.costOf
      ? featuresEstimate(model.costOf(output), { count, batch })
      : { images: count },
  });
}
