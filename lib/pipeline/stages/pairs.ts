import { type ConceptImageSet, relatedPairs } from "../../concepts/mod.ts";
import { type HubModelConfig } from "../../config/mod.ts";
import { listed, quote, readText, UserError } from "../../files/mod.ts";
import type { LabelledImages } from "../../images/mod.ts";
import { openSentenceEncoder } from "../../models/mod.ts";
import { worldClasses, worldPairs } from "../../world/mod.ts";
import { firstSynonym } from "../classes.ts";
import { artifactKind, jsonCodec } from "../stage.ts";

/** A concept that belongs to a class. */
export interface ConceptClassPair {
  readonly concept: string;
  /** The class's id in its dataset. */
  readonly class: string;
}

/** Where the pairs come from, with what identifies it. */
export type PairsInputs =
  | { readonly from: "world" }
  | { readonly from: "file"; readonly digest: string }
  | {
    readonly from: "sentence encoder";
    readonly encoder: string;
    readonly threshold: number;
    readonly device: string;
    readonly runtime: string;
  };

/** Where the file or the encoder is. */
export type PairsHow =
  | null
  | { readonly file: string }
  | { readonly config: HubModelConfig; readonly hubFolder: string };

/**
 * The ground-truth pairs of concept and class: those of the world, as a file lists them, or those
 * whose names a sentence encoder finds similar (paper, Section 4.1).
 */
export const pairsKind = artifactKind<
  { readonly concepts: ConceptImageSet; readonly classes: LabelledImages["classes"] },
  PairsInputs,
  PairsHow,
  readonly ConceptClassPair[]
>({
  name: "pairs",
  isCheck: true,
  version: 2,
  codec: jsonCodec(),
  compute: async (node, context) => {
    const { inputs, how } = node;
    const { concepts } = await context.need(node, "concepts");
    const classes = await context.need(node, "classes");
    if (inputs.from === "world") {
      return some(among(worldPairs(worldClasses()), { concepts, classes }), node);
    }
    if (inputs.from === "file") {
      const { file } = how as { readonly file: string };
      const pairs = await listedPairs(file, classes);
      const names = new Set(concepts.map(({ name }) => name));
      const others = new Set(pairs.map(({ concept }) => concept)).difference(names);
      if (others.size > 0) {
        context.remark(`${file} names what is no concept of the run: ${listed([...others])}.`);
      }
      return some(among(pairs, { concepts, classes }), node);
    }
    const { config, hubFolder } = how as Extract<PairsHow, { readonly hubFolder: string }>;
    const encoder = await openSentenceEncoder(config, { ...context, hubFolder });
    try {
      const [ofConcepts, ofClasses] = [
        await encoder.embed(concepts.map(({ phrase }) => phrase)),
        await encoder.embed(classes.map(({ name }) => firstSynonym(name))),
      ];
      const related = relatedPairs(ofConcepts, ofClasses, inputs).map((pair) => ({
        concept: concepts[pair.concept]!.name,
        class: classes[pair.class]!.id,
      }));
      return some(related, node);
    } finally {
      await encoder.close();
    }
  },
});

/** Returns the pairs where there are any; without one nothing would be measured. */
function some(pairs: ConceptClassPair[], { inputs }: { readonly inputs: PairsInputs }) {
  if (pairs.length > 0) return pairs;
  const remedy = inputs.from === "sentence encoder"
    ? `no name of one is similar to one of the other by more than ${inputs.threshold}. Lower the ` +
      `threshold in "pairs" of the profile`
    : `none of those named takes part on both sides. Name pairs of the run's concepts and classes`;
  throw new UserError(`There is no pair of a concept and a class: ${remedy}.`);
}

/** The pairs whose concept and class both take part. */
function among(
  pairs: readonly ConceptClassPair[],
  { concepts, classes }: {
    readonly concepts: ConceptImageSet["concepts"];
    readonly classes: LabelledImages["classes"];
  },
): ConceptClassPair[] {
  const names = new Set(concepts.map(({ name }) => name));
  const ids = new Set(classes.map(({ id }) => id));
  return pairs.filter((pair) => names.has(pair.concept) && ids.has(pair.class));
}

/** The lines `concept,class` of a file, after its first line, each once. */
async function listedPairs(
  path: string,
  classes: LabelledImages["classes"],
): Promise<ConceptClassPair[]> {
  const known = new Set(classes.map(({ id }) => id));
  const [, ...lines] = (await readText(path)).trim().split(/\r?\n/);
  const pairs = lines.map((line, number) => {
    const [concept = "", id = ""] = line.split(",").map((cell) => cell.trim());
    if (known.has(id)) return { concept, class: id };
    throw new UserError(
      `Line ${number + 2} of ${path} names the class ${
        quote(id)
      }, which the dataset does not have. ` +
        `Correct the line.`,
    );
  });
  const once = new Map(pairs.map((pair) => [`${pair.concept},${pair.class}`, pair]));
  return [...once.values()];
}
