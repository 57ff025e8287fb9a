import { allRows } from "../../activations/mod.ts";
import type { ConceptImageSet } from "../../concepts/mod.ts";
import { type MeasureName, measureOf, type PeerMeasure } from "../../metrics/mod.ts";
import { row, type Tensor } from "../../tensor/mod.ts";
import { artifactKind, jsonCodec } from "../stage.ts";
import type { Cavs } from "./cavs.ts";
import type { Measurement } from "./measure.ts";

/** The CAVs of a method and seed, and for a measure over seeds those of each other seed. */
export interface PeerNeeds {
  readonly concepts: ConceptImageSet;
  readonly cavs: Cavs;
  readonly [role: `seed${number}`]: Cavs;
}

/** Values of a measure that holds the CAV of a concept against those of other seeds or concepts. */
export const measurePeersKind = artifactKind<
  PeerNeeds,
  { readonly measure: MeasureName; readonly version: number },
  null,
  readonly Measurement[]
>({
  name: "measure_peers",
  version: 1,
  codec: jsonCodec(),
  compute: async (node, { need }) => {
    const { over, measure } = measureOf(node.inputs.measure) as PeerMeasure;
    const { concepts } = await need(node, "concepts");
    const vectors = await allRows((await need(node, "cavs")).vectors);
    const ofSeeds: Tensor[] = [];
    for (let seed = 0; node.needs[`seed${seed}`] !== undefined; seed++) {
      ofSeeds.push(await allRows((await need(node, `seed${seed}`)).vectors));
    }
    const others = (index: number) =>
      over === "seeds"
        ? ofSeeds.map((ofSeed) => row(ofSeed, index))
        : concepts.flatMap((_, other) => other === index ? [] : [row(vectors, other)]);
    return concepts.map(({ name }, index) => ({
      concept: name,
      class: "",
      image: "",
      value: measure(row(vectors, index), others(index)),
    }));
  },
});
