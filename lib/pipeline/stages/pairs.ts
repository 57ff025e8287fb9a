import { join } from "node:path";
import { hubModelSchema, loadConfig, type Plain, type Profile } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import { readImageNet } from "../datasets/mod.ts";
import type { LabelledImages } from "../images/mod.ts";
import { relatedPairs } from "../concepts/mod.ts";
import { openSentenceEncoder, sentenceEncoderHash } from "../models/mod.ts";
import type { Json } from "../store/mod.ts";
import type { ConceptSet, FewShotConcept } from "../concepts/mod.ts";
import type { DatasetFiles } from "./files_stage.ts";
import { orMissing } from "./models.ts";
import type { PlanSpec } from "./plan_spec.ts";
import { artifactStage, jsonCodec, type Stage } from "./stage.ts";

/** A concept that belongs to a class, by the class's position among the logits. */
export interface ConceptClassPair {
  readonly concept: string;
  readonly class: string;
  readonly classIndex: number;
}

/** Where the pairs come from, as a profile says. */
export type PairsLocation = Plain<Profile["pairs"]>;

/**
 * The ground-truth pairs of concept and class: as a file beside the dataset lists them, or those
 * whose names a sentence encoder finds similar (paper, Section 4.1).
 */
export async function pairsStage(
  { files, concepts }: {
    readonly files: Stage<DatasetFiles>;
    readonly concepts: Stage<ConceptSet>;
  },
  { spec, pairs, split }: {
    readonly spec: PlanSpec;
    readonly pairs: PairsLocation;
    readonly split: "train" | "val";
  },
): Promise<Stage<readonly ConceptClassPair[]>> {
  const hubFolder = join(spec.root, "data", "hub");
  const encoder = "file" in pairs ? undefined : await loadConfig(
    join(spec.root, "configs", "vl", `${pairs.sentenceEncoder}.json`),
    hubModelSchema,
  );
  const hash = encoder && await orMissing(sentenceEncoderHash(encoder, { hubFolder }));
  return artifactStage({
    id: "pairs of concept and class",
    stage: "pairs",
    version: 1,
    inputs: { pairs, encoder: hash } as unknown as Json,
    needs: [files, concepts],
    work: "matches concepts and classes",
    codec: jsonCodec(),
    compute: async (context) => {
      const { folder, around } = await context.valueOf(files);
      const { classes } = await readImageNet(folder, split);
      const set = (await context.valueOf(concepts)).concepts;
      if ("file" in pairs) return await listedPairs(join(around, pairs.file), { set, classes });
      const model = await openSentenceEncoder(encoder!, { ...context, hubFolder });
      try {
        const [ofConcepts, ofClasses] = [
          await model.embed(set.map(({ phrase }) => phrase)),
          await model.embed(classes.map(({ name }) => firstSynonym(name))),
        ];
        return relatedPairs(ofConcepts, ofClasses, pairs).map((pair) => ({
          concept: set[pair.concept]!.name,
          class: classes[pair.class]!.id,
          classIndex: pair.class,
        }));
      } finally {
        await model.close();
      }
    },
  });
}

/** ImageNet's class names are lists of synonyms, the most common first. */
function firstSynonym(name: string): string {
  return name.split(",")[0]!.trim();
}

/** The lines `concept,class` of a file, for the concepts that take part. */
async function listedPairs(
  path: string,
  { set, classes }: {
    readonly set: readonly FewShotConcept[];
    readonly classes: LabelledImages["classes"];
  },
): Promise<ConceptClassPair[]> {
  const names = new Set(set.map(({ name }) => name));
  const indexOf = new Map(classes.map(({ id }, index) => [id, index]));
  const [, ...lines] = (await Deno.readTextFile(path)).trim().split(/\r?\n/);
  return lines.flatMap((line, number) => {
    const [concept = "", id = ""] = line.split(",");
    const classIndex = indexOf.get(id);
    if (classIndex === undefined) {
      throw new UserError(
        `Line ${number + 2} of ${path} names the class "${id}", which the dataset does not have. ` +
          `Correct the line.`,
      );
    }
    return names.has(concept) ? [{ concept, class: id, classIndex }] : [];
  });
}
