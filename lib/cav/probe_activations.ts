import { cosine, normaliseRows, row, type Tensor } from "../tensor/mod.ts";
import type { CavEngine } from "./engine.ts";
import { alignActivations, type AlignmentPairs, pairMoments } from "./gaussian_alignment.ts";

/**
 * What language says of a concept's probe images and what Gaussian alignment makes of it (Figure 2b):
 * a_c(x) of each probe, the same aligned to the cosines of pairs of probe features (Eq. 4), and of
 * these cosines as many evenly spaced quantiles as there are probes, the diagonal left in or out as
 * `alignmentPairs` says.
 *
 * @param probes their features in the target and in the VL model, [probes, dim] each.
 */
export async function probeActivations(
  probes: { readonly features: Tensor; readonly vlFeatures: Tensor },
  { text, alignmentPairs, engine }: {
    /** The VL model's feature of the concept's prompt. */
    readonly text: Float32Array;
    readonly alignmentPairs: AlignmentPairs;
    readonly engine: CavEngine;
  },
): Promise<{
  readonly features: Tensor;
  readonly vl: Float32Array;
  readonly aligned: Float32Array;
  readonly pairs: Float32Array;
}> {
  const count = probes.features.shape[0]!;
  const features = normaliseRows(probes.features);
  const vl = Float32Array.from(
    { length: count },
    (_, probe) => cosine(text, row(probes.vlFeatures, probe)),
  );
  const moments = await pairMoments(features, { engine, pairs: alignmentPairs });
  const cosines = (await engine.product(features, features)).data;
  const kept = alignmentPairs === "all ordered pairs"
    ? cosines
    : cosines.filter((_, at) => at % (count + 1) !== 0);
  kept.sort();
  const pairs = Float32Array.from(
    { length: count },
    (_, i) => kept[Math.floor((i + 0.5) / count * kept.length)]!,
  );
  return { features, vl, aligned: alignActivations(vl, moments), pairs };
}
