import { concatenateRows, type ConceptTextFeatures } from "../activations/mod.ts";
import { openEngine } from "../cav/mod.ts";
import { selectProbes } from "../concepts/mod.ts";
import { textActivations } from "../cav/mod.ts";
import { UserError } from "../files/mod.ts";
import { createRandom, row, type Tensor } from "../tensor/mod.ts";
import type { ConceptSet } from "../concepts/mod.ts";
import { artifactStage, jsonCodec, type Stage, type StageContext } from "./stage.ts";

/**
 * The probe images of every concept, as rows of the features of the concepts' images followed by
 * those of the pool. An image of the concept itself is never its probe (paper, Section 4.1).
 */
export function probesStage(
  { concepts, text, vlFeatures }: {
    readonly concepts: Stage<ConceptSet>;
    readonly text: Stage<ConceptTextFeatures>;
    readonly vlFeatures: readonly [Stage<Tensor>, Stage<Tensor>];
  },
  choice: { readonly count: number; readonly choice: "extreme" | "random" },
): Stage<readonly (readonly number[])[]> {
  return artifactStage({
    id: "probes",
    stage: "probes",
    version: 1,
    inputs: { ...choice },
    needs: [concepts, text, ...vlFeatures],
    work: `chooses ${choice.count} probe images a concept`,
    codec: jsonCodec(),
    compute: async ({ valueOf, device }) => {
      const features = concatenateRows(await Promise.all(vlFeatures.map(valueOf)));
      const set = (await valueOf(concepts)).concepts;
      const activations = await conceptActivations((await valueOf(text)).prompt, features, device);
      return set.map(({ name, positives }, index) => {
        const own = new Set(positives);
        const pool = Array.from({ length: features.shape[0]! }, (_, image) => image)
          .filter((image) => !own.has(image));
        if (pool.length < choice.count) {
          throw new UserError(
            `Concept "${name}" has ${pool.length} images to choose probes from, fewer than ` +
              `probes.count, which is ${choice.count}. Lower it or add images to the pool.`,
          );
        }
        const random = createRandom("probes").split(name);
        const ofConcept = row(activations, index);
        const ofPool = pool.map((image) => ofConcept[image]!);
        return [...selectProbes(ofPool, { ...choice, random })].map((at) => pool[at]!);
      });
    },
  });
}

/** a_c of every image for each concept, [concepts, images]. */
async function conceptActivations(
  prompt: Tensor,
  features: Tensor,
  device: StageContext["device"],
): Promise<Tensor> {
  const engine = await openEngine("ort", { device });
  try {
    return await textActivations(prompt, features, { engine });
  } finally {
    await engine.close();
  }
}
