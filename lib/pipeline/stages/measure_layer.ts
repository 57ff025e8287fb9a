import type { FeatureRows } from "../../activations/mod.ts";
import { openEngine } from "../../cav/mod.ts";
import { UserError } from "../../files/mod.ts";
import {
  type ClassMeasure,
  type CorrectionMeasure,
  type MeasureName,
  measureOf,
  predictedClasses,
} from "../../metrics/mod.ts";
import type { LastLayer } from "../../models/mod.ts";
import { uniqueNames } from "../classes.ts";
import { preferredScenes } from "../preferred_scenes.ts";
import {
  artifactKind,
  jsonCodec,
  refOf,
  type StageContext,
  type StageKind,
  storedAs,
  type TypedNode,
} from "../stage.ts";
import { logitBlocks } from "./_logits.ts";
import type { ClassLabels } from "./class_labels.ts";
import type { CorrectedLayer } from "./corrected_layer.ts";
import type { Measurement } from "./measure.ts";

/** What measures of last layers need; the scenes where they ask for them. */
export interface MeasureLayerNeeds {
  readonly layer: LastLayer;
  /** Of the test images. */
  readonly features0: FeatureRows;
  readonly labels: ClassLabels;
  readonly scenes?: readonly string[];
  /** Of the training images, which say what scene a class prefers. */
  readonly trainLabels?: ClassLabels;
  readonly trainScenes?: readonly string[];
}

/** Which measure. */
interface MeasureInputs {
  readonly measure: MeasureName;
  readonly version: number;
}

type Node = TypedNode<MeasureInputs, null>;
type Need = StageContext<MeasureLayerNeeds>["need"];

const codec = jsonCodec<readonly Measurement[]>();

/** Values of a measure of last layers at the test images, which all nodes of a group share. */
export const measureLayerKind: StageKind<
  MeasureLayerNeeds,
  MeasureInputs,
  null,
  readonly Measurement[]
> = {
  name: "measure_layer",
  version: 1,
  ...storedAs(codec),
  group: ({ needs: { features0, labels } }) => JSON.stringify([features0, labels]),
  run: async (nodes, { need, device, store }) => {
    const engine = await openEngine("ort", { device });
    try {
      for (const ofLayer of Map.groupBy(nodes, ({ needs }) => needs["layer"]!).values()) {
        const [first] = ofLayer as [Node];
        const labels = await need(first, "labels");
        const features = await need(first, "features0");
        const correct: boolean[] = [];
        const layer = await need(first, "layer");
        for await (const { start, logits } of logitBlocks(features, [layer], { engine })) {
          const predicted = predictedClasses(logits[0]);
          predicted.forEach((k, i) => correct.push(k === labels.labels[start + i]));
        }
        for (const node of ofLayer) {
          const preferred = await prefersOf(node, labels, need);
          const values = measurementsOf(node, { labels, correct, preferred });
          await store.write(refOf(node), codec.encode(values));
        }
      }
    } finally {
      await engine.close();
    }
  },
};

/** Whether each test image has its class's preferred scene; empty where no measure asks. */
async function prefersOf(node: Node, { labels }: ClassLabels, need: Need): Promise<boolean[]> {
  if (node.needs["scenes"] === undefined) return [];
  const scenes = (await need(node, "scenes"))!;
  const preferred = preferredScenes(
    (await need(node, "trainLabels"))!,
    (await need(node, "trainScenes"))!,
  );
  return labels.map((label, image) => scenes[image] === preferred[label]);
}

function measurementsOf(
  { inputs }: Node,
  { labels: { classes, labels }, correct, preferred }: {
    readonly labels: ClassLabels;
    readonly correct: readonly boolean[];
    readonly preferred: readonly boolean[];
  },
): Measurement[] {
  const { measure } = measureOf(inputs.measure) as ClassMeasure;
  const names = uniqueNames(classes);
  const images = Map.groupBy(labels.keys(), (image) => labels[image]!);
  return classes.flatMap(({ id }, label) => {
    const ofClass = images.get(label) ?? [];
    const values = measure({
      correct: ofClass.map((image) => correct[image]!),
      preferred: ofClass.map((image) => preferred[image] ?? false),
    });
    return values.map(({ group, value, weight }) => ({
      concept: names[label]!,
      class: group === "" ? id : `${id}, ${group}`,
      image: "",
      value,
      weight,
    }));
  });
}

/** A number that a correction tells of itself. */
export const measureCorrectionKind = artifactKind<
  { readonly layer: CorrectedLayer },
  MeasureInputs,
  null,
  readonly Measurement[]
>({
  name: "measure_correction",
  version: 1,
  codec,
  compute: async (node, { need }) => {
    const { diagnostic, factor } = measureOf(node.inputs.measure) as CorrectionMeasure;
    const { diagnostics } = await need(node, "layer");
    const value = (diagnostics as Readonly<Record<string, number>>)[diagnostic];
    if (value !== undefined) return [{ concept: "", class: "", image: "", value: factor * value }];
    throw new UserError(
      `"${node.id}": this correction tells no ${diagnostic}. Measure it of one that weighs images.`,
    );
  },
});
