import { type ConceptImageSet, drawShots, type Examples, mislabel } from "../../concepts/mod.ts";
import { createRandom } from "../../tensor/mod.ts";
import { artifactKind, jsonCodec } from "../stage.ts";

/** The few labelled images of each concept that CAVs of one seed may learn from. */
export const shotsKind = artifactKind<
  { readonly concepts: ConceptImageSet },
  { readonly shots: number; readonly seed: number; readonly labelNoise?: number },
  null,
  readonly Examples[]
>({
  name: "shots",
  version: 1,
  isCheck: true,
  codec: jsonCodec(),
  compute: async (node, { need }) => {
    const { concepts } = await need(node, "concepts");
    const { seed, labelNoise: share = 0 } = node.inputs;
    return concepts.map((concept) => {
      const random = createRandom("label noise").split(concept.name).split(seed);
      return mislabel(drawShots(concept, node.inputs), { share, random });
    });
  },
});
