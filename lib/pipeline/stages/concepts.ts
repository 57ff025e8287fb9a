import { type ConceptTextFeatures, conceptTextFeatures } from "../../activations/mod.ts";
import {
  type ConceptImageSet,
  conceptImageSet,
  randomWord,
  singleConceptImages,
  type SingleConceptOptions,
} from "../../concepts/mod.ts";
import type { DatasetConfig } from "../../config/mod.ts";
import {
  type FoundLabel,
  readBroden,
  readShownLabels,
  scanBrodenLabels,
  type UnreadableMask,
} from "../../datasets/mod.ts";
import { listed, quote, UserError } from "../../files/mod.ts";
import type { VlModel } from "../../models/mod.ts";
import { createRandom } from "../../tensor/mod.ts";
import { type ModelHow, withVlModel } from "../models.ts";
import { artifactKind, jsonCodec, tensorCodec } from "../stage.ts";
import type { DatasetFiles } from "./files.ts";
import type { ReadableImages } from "./images.ts";

/** The labels of every image of Broden; none of an image with a mask that cannot be read. */
export interface FoundLabels {
  readonly labels: readonly (readonly FoundLabel[])[];
}

/** Finds the labels of every image of Broden, from the pixels of its masks. */
export const labelsKind = artifactKind<
  { readonly files: DatasetFiles },
  { readonly policy: DatasetConfig["unreadable"]; readonly decoder: string },
  null,
  FoundLabels
>({
  name: "labels",
  version: 2,
  codec: jsonCodec(),
  compute: async (node, { need, remark, onProgress }) => {
    const broden = await readBroden((await need(node, "files")).folder);
    const total = broden.images.ids.length;
    const unreadable: UnreadableMask[] = [];
    const labels = await scanBrodenLabels(broden, {
      unreadable: node.inputs.policy,
      onUnreadable: (mask) => unreadable.push(mask),
      onImage: (index) => onProgress(index + 1, total),
    });
    if (unreadable.length > 0) {
      const names = unreadable.map(({ mask, reason }) => `${mask} (${reason})`);
      remark(`Left out ${unreadable.length} images whose masks cannot be read: ${listed(names)}.`);
    }
    return { labels };
  },
});

/** The concepts with the images that show them and as many that do not. */
export const conceptsKind = artifactKind<
  {
    readonly files: DatasetFiles;
    readonly labels: FoundLabels;
    readonly readable: ReadableImages;
  },
  { readonly filter: SingleConceptOptions; readonly negatives?: "clean" },
  null,
  ConceptImageSet
>({
  name: "concepts",
  isCheck: true,
  version: 2,
  codec: jsonCodec(),
  compute: async (node, { need }) => {
    const broden = await readBroden((await need(node, "files")).folder);
    const usable = new Set((await need(node, "readable")).indices);
    const found = (await need(node, "labels")).labels
      .map((labels, image) => usable.has(image) ? labels : []);
    const { filter, negatives } = node.inputs;
    const shown = negatives === "clean" ? await readShownLabels(broden.root, broden) : [];
    const present = found.map((labels, image) => [...labels, ...(shown[image] ?? [])]);
    return conceptImageSet(singleConceptImages(broden, found, filter), present);
  },
});

/** Checks that the concepts that an experiment shows are among those of the dataset. */
export const shownConceptsKind = artifactKind<
  { readonly concepts: ConceptImageSet },
  { readonly experiment: string; readonly names: readonly string[] },
  null,
  null
>({
  name: "shown_concepts",
  isCheck: true,
  version: 1,
  codec: jsonCodec(),
  compute: async (node, { need }) => {
    const { experiment, names } = node.inputs;
    const { concepts } = await need(node, "concepts");
    const absent = names.find((name) => !concepts.some((concept) => concept.name === name));
    if (absent === undefined) return null;
    throw new UserError(
      `Experiment ${experiment} shows the concept ${quote(absent)}, which the dataset does not ` +
        `have, or not with enough images. Name one that it has, or what stands for it under ` +
        `"concepts" of the profile.`,
    );
  },
});

/** What the text features of a VL model depend on, besides the concepts. */
export interface TextInputs {
  readonly model: unknown;
  /** The template of plain LG-CAV and those of the concept ensemble. */
  readonly prompts: { readonly prompt: string; readonly ensemble: readonly string[] };
  readonly device: string;
  /** The runtime that encodes the tokens, and what makes them. */
  readonly runtime: string;
  /** Of a control: a random word stands for each concept, drawn by this seed. */
  readonly wordsOfSeed?: number;
}

/** The text features of the concepts under every prompt. */
export const textKind = artifactKind<
  { readonly concepts: ConceptImageSet },
  TextInputs,
  { readonly model: Extract<ModelHow, { readonly type: "vl" }> },
  ConceptTextFeatures
>({
  name: "text",
  version: 2,
  codec: tensorCodec(["prompt", "ensemble"]),
  compute: async (node, context) => {
    const { inputs: { prompts, wordsOfSeed }, how: { model } } = node;
    const { concepts } = await context.need(node, "concepts");
    const phrases = wordsOfSeed === undefined
      ? concepts.map(({ phrase }) => phrase)
      : wordsFor(concepts, wordsOfSeed);
    return await withVlModel(model, context, async (opened) => {
      // That random words are unknown is what they are for.
      if (wordsOfSeed === undefined) remarkOnWords(opened.describeTexts(phrases), context.remark);
      return await conceptTextFeatures(phrases, {
        ...prompts,
        encode: (texts) => opened.embedTexts(texts),
      });
    });
  },
});

/** A word that names nothing in place of each concept. */
function wordsFor(concepts: ConceptImageSet["concepts"], seed: number): string[] {
  const phrases = concepts.map(({ phrase }) => phrase);
  const random = createRandom(seed).split("random words");
  return concepts.map(({ name }) => randomWord(phrases, { random: random.split(name) }));
}

/** Tells which words a VL model may not know, and which texts it cuts. */
export function remarkOnWords(
  { unknownWords, truncated }: ReturnType<VlModel["describeTexts"]>,
  remark: (sentence: string) => void,
): void {
  if (unknownWords.length > 0) {
    remark(
      `The VL model spells these words in pieces, and may not have learned them: ` +
        `${listed(unknownWords)}.`,
    );
  }
  if (truncated.length > 0) {
    remark(`The VL model sees the beginning only of these texts: ${listed(truncated)}.`);
  }
}
