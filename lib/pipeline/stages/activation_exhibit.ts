import { openEngine } from "../../cav/mod.ts";
import type { ConceptImageSet } from "../../concepts/mod.ts";
import type { PreprocessSpec } from "../../config/mod.ts";
import type { Picture } from "../../experiment/mod.ts";
import { highest } from "../../metrics/mod.ts";
import { row } from "../../tensor/mod.ts";
import { artifactKind, jsonCodec } from "../stage.ts";
import { activationBlocks } from "./_activations.ts";
import type { Cavs } from "./cavs.ts";
import { type Exhibited, imageName, readPictures, type TestImages } from "./exhibits.ts";
import type { LabelledOf } from "./images.ts";

/**
 * The test images that the CAVs of some classes' concepts activate most and least, with their
 * activations, the cosines of CAV and feature. The concepts are evenly spaced among all.
 */
export const activationExhibitKind = artifactKind<
  TestImages & { readonly cavs: Cavs; readonly concepts: ConceptImageSet },
  {
    readonly of: LabelledOf;
    readonly concepts: number;
    /** Of each end. */
    readonly images: number;
    readonly preprocess: PreprocessSpec;
    /** What decodes, and what computes the cosines. */
    readonly decoder: string;
    readonly runtime: string;
  },
  null,
  Exhibited
>({
  name: "activation_exhibit",
  version: 1,
  codec: jsonCodec(),
  compute: async (node, { need, device }) => {
    const { of, preprocess: spec, concepts: count, images } = node.inputs;
    const test = {
      files: await need(node, "files"),
      readable: await need(node, "readable"),
      labels: await need(node, "labels"),
    };
    const features = await need(node, "features0");
    const { concepts } = await need(node, "concepts");
    const chosen = evenlySpaced(count, concepts.length);
    const { classes, labels } = test.labels;
    const most = Math.min(images, Math.floor(labels.length / 2));
    const directions = await (await need(node, "cavs")).vectors.take(chosen);
    const measurements: Exhibited["measurements"][number][] = [];
    const shown = new Set<number>();
    const engine = await openEngine("ort", { device });
    try {
      for await (
        const { start, activations } of activationBlocks(directions, features, { engine })
      ) {
        for (let i = 0; i < activations.shape[0]!; i++) {
          const values = row(activations, i);
          const ends = [...highest(values, most), ...highest(values.map((value) => -value), most)];
          for (const position of ends) {
            shown.add(position);
            measurements.push({
              measure: "image_activation",
              concept: concepts[chosen[start + i]!]!.name,
              class: classes[labels[position]!]!.id,
              image: imageName(test.readable, position),
              value: values[position]!,
            });
          }
        }
      }
    } finally {
      await engine.close();
    }
    const positions = [...shown].sort((a, b) => a - b);
    const pictures: Picture[] = [];
    for await (const { picture } of readPictures(test, { of, positions, spec })) {
      pictures.push(picture);
    }
    return {
      measurements,
      exhibit: {
        of: "activations",
        images: labels.length,
        from: concepts.length,
        concepts: chosen.map((index) => ({
          name: concepts[index]!.name,
          text: concepts[index]!.phrase,
          class: classes[index]!.id,
        })),
        pictures,
      },
    };
  },
});

/** The middles of `count` equal parts of `total` places, or all places where they are fewer. */
export function evenlySpaced(count: number, total: number): number[] {
  const parts = Math.min(count, total);
  return Array.from({ length: parts }, (_, i) => Math.floor(((i + 0.5) * total) / parts));
}
