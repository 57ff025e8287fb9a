import { effectiveSampleSize, openEngine, probeWeights } from "../../cav/mod.ts";
import type { ReweightingMeasure } from "../../metrics/mod.ts";
import { normaliseRows } from "../../tensor/mod.ts";
import type { StageContext, TypedNode } from "../stage.ts";
import { rowsOf } from "./_rows.ts";
import { cavOf, type MeasureInputs, type Measurement, type MeasureNeeds } from "./measure.ts";

/** By concept: its probes are read once for all nodes, and the gradients of its classes. */
export async function measureReweightings(
  nodes: readonly TypedNode<MeasureInputs, null>[],
  { measure }: ReweightingMeasure,
  { need, device }: Pick<StageContext<MeasureNeeds>, "need" | "device">,
): Promise<Measurement[][]> {
  const [first] = nodes as [TypedNode<MeasureInputs, null>];
  const { concepts } = await need(first, "concepts");
  const chosen = (await need(first, "probes"))!;
  const features = await rowsOf(first, "features", need);
  const { classes, gradients } = (await need(first, "gradients"))!;
  const rowsOfClass = Map.groupBy(classes.keys(), (index) => classes[index]!);
  const pairsOf = Map.groupBy((await need(first, "pairs"))!, ({ concept }) => concept);
  const ofNodes = await Promise.all(nodes.map(async (node) => ({
    cavs: await need(node, "cavs"),
    without: (await need(node, "without"))!,
    shots: (await need(node, "shots"))!,
    reweighting: node.inputs.reweighting!,
  })));
  const values: Measurement[][] = nodes.map(() => []);
  const engine = await openEngine("ort", { device });
  try {
    for (const [index, { name }] of concepts.entries()) {
      const pairs = pairsOf.get(name)?.filter((pair) => rowsOfClass.has(pair.class)) ?? [];
      if (pairs.length === 0) continue;
      const probes = normaliseRows(await features.take(chosen[index]!));
      for (const [position, { cavs, without, shots, reweighting }] of ofNodes.entries()) {
        const positives = await features.take(shots[index]!.positives);
        const weights = await probeWeights({ positives, probes }, { engine, reweighting });
        const share = effectiveSampleSize(weights) / weights.length;
        const cav = await cavOf(cavs, index);
        const plain = await cavOf(without, index);
        for (const pair of pairs) {
          const ofClass = await gradients.take(rowsOfClass.get(pair.class)!);
          const value = measure(cav, { without: plain, share, gradients: ofClass });
          values[position]!.push({ ...pair, image: "", value });
        }
      }
    }
  } finally {
    await engine.close();
  }
  return values;
}
