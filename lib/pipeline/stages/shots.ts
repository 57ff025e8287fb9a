import { type ConceptImageSet, drawShots, type Examples } from "../../concepts/mod.ts";
import { artifactKind, jsonCodec } from "../stage.ts";

/** The few labelled images of each concept that CAVs of one seed may learn from. */
export const shotsKind = artifactKind<
  { readonly concepts: ConceptImageSet },
  { readonly shots: number; readonly seed: number },
  null,
  readonly Examples[]
>({
  name: "shots",
  version: 1,
  isCheck: true,
  codec: jsonCodec(),
  compute: async (node, { need }) => {
    const { concepts } = await need(node, "concepts");
    return concepts.map((concept) => drawShots(concept, node.inputs));
  },
});
