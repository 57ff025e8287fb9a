import { type ConceptTextFeatures, conceptTextFeatures } from "../activations/mod.ts";
import type { Experiment, Plain } from "../config/mod.ts";
import { singleConceptImages, type SingleConceptOptions } from "../concepts/mod.ts";
import { type FoundLabel, readBroden, scanBrodenLabels } from "../datasets/mod.ts";
import { readSafetensors, writeSafetensors } from "../tensor/mod.ts";
import type { DatasetFiles } from "./files_stage.ts";
import { type ConceptSet, drawConceptSet } from "../concepts/mod.ts";
import type { VlImageModel } from "./models.ts";
import type { ReadableImages } from "./readable_stage.ts";
import { artifactStage, type Codec, jsonCodec, type Stage } from "./stage.ts";

/** The labels of every image of Broden, from the pixels of its masks. */
export function labelsStage(
  files: Stage<DatasetFiles>,
): Stage<readonly (readonly FoundLabel[])[]> {
  return artifactStage({
    id: "labels broden",
    stage: "labels",
    version: 1,
    inputs: {},
    needs: [files],
    work: "reads the masks of Broden",
    codec: jsonCodec(),
    compute: async ({ valueOf, onProgress }) => {
      const broden = await readBroden((await valueOf(files)).folder);
      const total = broden.images.ids.length;
      return await scanBrodenLabels(broden, { onImage: (index) => onProgress(index + 1, total) });
    },
  });
}

/** The concepts, their images and their shots. */
export function conceptsStage(
  { files, labels, readable }: {
    readonly files: Stage<DatasetFiles>;
    readonly labels: Stage<readonly (readonly FoundLabel[])[]>;
    readonly readable: Stage<ReadableImages>;
  },
  { experiment, filter }: {
    readonly experiment: Plain<Experiment>;
    readonly filter: SingleConceptOptions;
  },
): Stage<ConceptSet> {
  const { shots, seeds } = experiment;
  return artifactStage({
    id: "concepts broden",
    stage: "concepts",
    version: 1,
    inputs: { filter: { ...filter }, shots, seeds },
    needs: [files, labels, readable],
    work: "selects single-concept images and draws the shots",
    codec: jsonCodec(),
    compute: async ({ valueOf }) => {
      const broden = await readBroden((await valueOf(files)).folder);
      const usable = new Set((await valueOf(readable)).indices);
      const found = (await valueOf(labels)).map((labels, image) => usable.has(image) ? labels : []);
      return drawConceptSet(singleConceptImages(broden, found, filter), found, { shots, seeds });
    },
  });
}

/** The prompts of plain LG-CAV and of the concept ensemble. */
export interface Prompts {
  readonly prompt: string;
  readonly ensemble: readonly string[];
}

/** The text features of the concepts under every prompt. */
export function textStage(
  concepts: Stage<ConceptSet>,
  { model, prompts, batch, device }: {
    readonly model: VlImageModel;
    readonly prompts: Prompts;
    readonly batch: number;
    readonly device: string;
  },
): Stage<ConceptTextFeatures> {
  return artifactStage({
    id: `text features ${model.name}`,
    stage: "text-features",
    version: 1,
    inputs: { model: model.identity, prompts: { ...prompts }, device },
    needs: [concepts],
    work: `${1 + prompts.ensemble.length} prompts a concept`,
    codec: textCodec,
    compute: async (context) => {
      const phrases = (await context.valueOf(concepts)).concepts.map(({ phrase }) => phrase);
      const encode = (texts: readonly string[]) => model.embedTexts(texts, context);
      return await conceptTextFeatures(phrases, { ...prompts, batch, encode });
    },
  });
}

const textCodec: Codec<ConceptTextFeatures> = {
  encode: ({ prompt, ensemble }) =>
    writeSafetensors(new Map([["prompt", prompt], ["ensemble", ensemble]]), {}, { dtype: "F32" }),
  decode: (bytes) => {
    const { tensors } = readSafetensors(bytes);
    return { prompt: tensors.get("prompt")!, ensemble: tensors.get("ensemble")! };
  },
};
