import type { ConceptImageSet } from "../../concepts/mod.ts";
import { listed, readText, UserError } from "../../files/mod.ts";
import type { LabelledImages } from "../../images/mod.ts";
import { row } from "../../tensor/mod.ts";
import { worldClassWords, type WorldDataset } from "../../world/mod.ts";
import { firstSynonym, uniqueNames } from "../classes.ts";
import { artifactKind, jsonCodec, type TypedNode } from "../stage.ts";
import type { Confusions } from "./confusions.ts";

/** Where the words for a class come from, with what identifies them. */
export type ClassWords =
  /** Its definition in the world. */
  | { readonly from: "world"; readonly dataset: WorldDataset }
  /** Those that a view lists, by the class's id. */
  | { readonly from: "view"; readonly descriptions: Readonly<Record<string, string>> }
  /** The lines `class,description` of a file. */
  | { readonly from: "file"; readonly digest: string }
  /** Its name; of several synonyms the first. */
  | { readonly from: "names" };

type Classes = LabelledImages["classes"];

interface ClassConceptsInputs {
  readonly words: ClassWords;
  /** The classes of a view; all of the dataset's when left out. */
  readonly only?: Classes;
}

type Node = TypedNode<ClassConceptsInputs, { readonly file?: string }>;

/**
 * One concept for each class, in their order, without labelled images: what describes the class
 * (Table 18), or where confusions are needed "k, not k'", k' being the class that training images of
 * k are most often mistaken for (Tables 4, 6, 7). Of a class that never is, k' is the other class of
 * the highest mean probability.
 */
export const classConceptsKind = artifactKind<
  { readonly classes: Classes; readonly confusions?: Confusions },
  ClassConceptsInputs,
  { readonly file?: string },
  ConceptImageSet
>({
  name: "class_concepts",
  isCheck: true,
  version: 1,
  codec: jsonCodec(),
  compute: async (node, { need, remark }) => {
    const classes = node.inputs.only ?? await need(node, "classes");
    const words = await wordsOf(node, classes);
    const phrases = node.needs["confusions"] === undefined
      ? words
      : confusedPhrases(words, (await need(node, "confusions"))!, remark);
    const names = uniqueNames(classes);
    return {
      images: [],
      tooFew: [],
      concepts: phrases.map((phrase, index) => ({
        name: names[index]!,
        phrase,
        category: "class",
        positives: [],
        negatives: [],
      })),
    };
  },
});

/** The scenes of training images as concepts, sorted: what a model may have learned beside classes. */
export const sceneConceptsKind = artifactKind<
  { readonly scenes: readonly string[] },
  Record<never, never>,
  null,
  ConceptImageSet
>({
  name: "scene_concepts",
  isCheck: true,
  version: 1,
  codec: jsonCodec(),
  compute: async (node, { need }) => {
    const scenes = [...new Set(await need(node, "scenes"))].sort();
    return {
      images: [],
      tooFew: [],
      concepts: scenes.map((scene) => ({
        name: scene,
        phrase: scene,
        category: "scene",
        positives: [],
        negatives: [],
      })),
    };
  },
});

/** The words for each class. */
async function wordsOf({ inputs: { words }, how, id }: Node, classes: Classes): Promise<string[]> {
  if (words.from === "names") return classes.map(({ name }) => firstSynonym(name));
  const known = words.from === "world"
    ? worldClassWords(words.dataset)!
    : words.from === "view"
    ? new Map(Object.entries(words.descriptions))
    : await describedClasses(how.file!);
  return classes.map((of) => {
    const description = known.get(of.id) ?? known.get(of.name);
    if (description !== undefined) return phraseOf(description);
    const place = words.from === "file" ? ` in ${how.file}` : "";
    throw new UserError(
      `The class ${of.id} (${of.name}) of "${id}" has no description${place}. Add one, or take ` +
        `"confusions" as the "classConcepts" of the experiment, which need none.`,
    );
  });
}

/** Prompts have an article of their own: "A dog animal with long ears" is "dog animal with long ears". */
function phraseOf(description: string): string {
  return description.replace(/^an?\s+/i, "");
}

/** Lines `class,description` after a first line; a description may hold commas. */
async function describedClasses(path: string): Promise<ReadonlyMap<string, string>> {
  const [, ...lines] = (await readText(path)).trim().split(/\r?\n/);
  return new Map(
    lines.map((line) => {
      const [id = "", ...rest] = line.split(",");
      const text = rest.join(",").trim().replace(/^"(.*)"$/, "$1");
      return [id.trim(), text] as const;
    }).filter(([, text]) => text !== ""),
  );
}

/**
 * "k, not k'" for each class.
 *
 * @param remark is told of the classes that are never mistaken, or that none is.
 */
export function confusedPhrases(
  words: readonly string[],
  { counts, probabilities }: Confusions,
  remark: (sentence: string) => void,
): string[] {
  if (words.length < 2) {
    throw new UserError(
      `"k, not k'" takes two classes at least, and there are ${words.length}. Take "descriptions" as ` +
        `the "classConcepts" of the experiment.`,
    );
  }
  const highest = (values: Float32Array, own: number) =>
    values.reduce((best, value, k) => k === own || value <= (values[best] ?? -1) ? best : k, -1);
  const never: string[] = [];
  const phrases = words.map((word, own) => {
    const mistakes = row(counts, own);
    let other = highest(mistakes, own);
    if (mistakes[other] === 0) {
      never.push(word);
      other = highest(row(probabilities, own), own);
    }
    return `${word}, not ${words[other]}`;
  });
  if (never.length === words.length) {
    remark(
      `The model mistakes no training image at all, so of each class the other one is that of the ` +
        `highest mean probability.`,
    );
  } else if (never.length > 0) {
    remark(
      `Training images of ${never.length} of ${words.length} classes are never mistaken; the other ` +
        `class is there that of the highest mean probability: ${listed(never)}.`,
    );
  }
  return phrases;
}
