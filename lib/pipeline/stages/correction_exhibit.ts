import { openEngine } from "../../cav/mod.ts";
import type { PreprocessSpec } from "../../config/mod.ts";
import type { Attention, CorrectionExhibit } from "../../experiment/mod.ts";
import { predictedClasses } from "../../metrics/mod.ts";
import type { GradCam, LastLayer } from "../../models/mod.ts";
import { row, takeRows, type Tensor, tensor } from "../../tensor/mod.ts";
import { uniqueNames } from "../classes.ts";
import { openAttention, type TargetHow } from "../models.ts";
import { artifactKind, jsonCodec } from "../stage.ts";
import { logitBlocks } from "./_logits.ts";
import type { CorrectedLayer } from "./corrected_layer.ts";
import {
  type Exhibited,
  imageName,
  type ReadPicture,
  readPictures,
  type TestImages,
} from "./exhibits.ts";
import type { LabelledOf } from "./images.ts";

/** A test image that was wrong and is right. */
interface Corrected {
  readonly position: number;
  readonly label: number;
  readonly mistaken: number;
  /** Logits of `label` and `mistaken`. */
  readonly before: readonly [number, number];
  readonly after: readonly [number, number];
}

const gainOf = ({ before, after }: Corrected) => after[0] - after[1] - (before[0] - before[1]);

/** How many images were classified, and how they changed. */
type Counts = Omit<CorrectionExhibit, "of" | "classes" | "pictures">;

/**
 * The test images that a corrected last layer gets right and the uncorrected one wrong, whose margin
 * grew most: their logits by both, and Grad-CAM of both logits by both.
 */
export const correctionExhibitKind = artifactKind<
  TestImages & { readonly uncorrected: LastLayer; readonly corrected: CorrectedLayer },
  {
    readonly of: LabelledOf;
    readonly images: number;
    readonly perClass: number;
    /** Of a side of the map of Grad-CAM, at least. */
    readonly cells: number;
    readonly model: unknown;
    readonly preprocess: PreprocessSpec;
    readonly device: string;
    /** What decodes, and what computes logits and gradients. */
    readonly decoder: string;
    readonly runtime: string;
  },
  { readonly model: TargetHow },
  Exhibited
>({
  name: "correction_exhibit",
  version: 2,
  codec: jsonCodec(),
  compute: async (node, context) => {
    const { need } = context;
    const { of, images, perClass, cells, preprocess: spec } = node.inputs;
    const test = {
      files: await need(node, "files"),
      readable: await need(node, "readable"),
      labels: await need(node, "labels"),
      features0: await need(node, "features0"),
    };
    const layers = [await need(node, "uncorrected"), await need(node, "corrected")] as const;
    const { corrected, counts } = await classify(test, layers, context);
    const chosen = choose(corrected, { images, perClass });
    const { classes } = test.labels;
    const pictures: CorrectionExhibit["pictures"][number][] = [];
    if (chosen.length > 0) {
      const gradCam = await openAttention(node.how.model, { ...context, cells });
      try {
        const positions = chosen.map(({ position }) => position);
        for await (const read of readPictures(test, { of, positions, spec })) {
          const { label, mistaken } = chosen[pictures.length]!;
          const attention = await attentionOf(read, { ids: [label, mistaken], layers, gradCam });
          const [own, other] = attention.map((maps, i) => ({
            class: classes[[label, mistaken][i]!]!.id,
            ...maps,
          }));
          pictures.push({ ...read.picture, attention: [own!, other!] });
        }
      } finally {
        await gradCam.close();
      }
    }
    const names = uniqueNames(classes);
    const measurements = chosen.flatMap((one) =>
      (["logit_before", "logit_after"] as const).flatMap((measure) =>
        [one.label, one.mistaken].map((k, i) => ({
          measure,
          concept: names[k]!,
          class: classes[k]!.id,
          image: imageName(test.readable, one.position),
          value: (measure === "logit_before" ? one.before : one.after)[i]!,
        }))
      )
    );
    const occurring = new Set(chosen.flatMap(({ label, mistaken }) => [label, mistaken]));
    return {
      measurements,
      exhibit: {
        of: "corrections",
        ...counts,
        classes: classes.flatMap(({ id }, k) => occurring.has(k) ? [{ id, name: names[k]! }] : []),
        pictures,
      },
    };
  },
});

/** Classifies the test images by both layers, block by block. */
async function classify(
  { features0, labels: { labels } }: TestImages,
  layers: readonly [LastLayer, LastLayer],
  { device }: { readonly device: Parameters<typeof openEngine>[1]["device"] },
): Promise<{ readonly corrected: readonly Corrected[]; readonly counts: Counts }> {
  const corrected: Corrected[] = [];
  let [wrongBefore, wrongAfter, broken] = [0, 0, 0];
  const engine = await openEngine("ort", { device });
  try {
    const blocks = logitBlocks(features0, layers, { engine });
    for await (const { start, logits: [before, after] } of blocks) {
      const [first, then] = [predictedClasses(before), predictedClasses(after)];
      for (let i = 0; i < first.length; i++) {
        const label = labels[start + i]!;
        const [was, is] = [first[i] === label, then[i] === label];
        if (!was) wrongBefore++;
        if (!is) wrongAfter++;
        if (was && !is) broken++;
        if (was || !is) continue;
        const mistaken = first[i]!;
        const pair = (logits: Tensor) =>
          [row(logits, i)[label]!, row(logits, i)[mistaken]!] as const;
        const logits = { before: pair(before), after: pair(after) };
        corrected.push({ position: start + i, label, mistaken, ...logits });
      }
    }
  } finally {
    await engine.close();
  }
  const counts = { wrongBefore, wrongAfter, broken, corrected: corrected.length };
  return { corrected, counts: { images: labels.length, ...counts } };
}

/** By their gain the first of each class, and of these the first; of equal gains the earlier image. */
function choose(
  corrected: readonly Corrected[],
  { images, perClass }: { readonly images: number; readonly perClass: number },
): Corrected[] {
  const taken = new Map<number, number>();
  return corrected
    .toSorted((a, b) => gainOf(b) - gainOf(a) || a.position - b.position)
    .filter(({ label }) => {
      const count = taken.get(label) ?? 0;
      taken.set(label, count + 1);
      return count < perClass;
    })
    .slice(0, images);
}

/** Grad-CAM of two logits of an image by both layers. */
async function attentionOf(
  { pixels }: ReadPicture,
  { ids, layers: [uncorrected, corrected], gradCam }: {
    readonly ids: readonly [number, number];
    readonly layers: readonly [LastLayer, LastLayer];
    readonly gradCam: GradCam;
  },
): Promise<Omit<Attention, "class">[]> {
  const rows = [...ids.map((k) => [uncorrected, k]), ...ids.map((k) => [corrected, k])] as const;
  const weights = rows.map(([layer, k]) => takeRows((layer as LastLayer).weight, [k as number]));
  const width = uncorrected.weight.shape[1]!;
  const chosen = tensor([4, width], new Float32Array(4 * width));
  weights.forEach(({ data }, i) => row(chosen, i).set(data));
  const repeated = new Float32Array(4 * pixels.length);
  for (let i = 0; i < 4; i++) repeated.set(pixels, i * pixels.length);
  const { shape: [, height = 0, across = 0], data } = await gradCam.mapsOf(repeated, chosen);
  const map = (i: number) =>
    Array.from({ length: height }, (_, y) => {
      const start = (i * height + y) * across;
      return Array.from(data.subarray(start, start + across));
    });
  return [0, 1].map((i) => ({ before: map(i), after: map(i + 2) }));
}
