import { type FeatureRows, joinRows } from "../../activations/mod.ts";
import type { StageNode } from "../stage.ts";

/**
 * Features by source of images, in order: those of the concepts' images are `features0`, those of
 * the probe pool's other sources `features1` and on; `vl0` and on are the VL model's.
 */
export interface RowsNeeds {
  readonly [role: `features${number}`]: FeatureRows;
  readonly [role: `vl${number}`]: FeatureRows;
}

/** The rows of all sources of a node, one below the other. */
export async function rowsOf(
  node: StageNode,
  model: "features" | "vl",
  need: (node: StageNode, role: `features${number}` | `vl${number}`) => Promise<FeatureRows>,
): Promise<FeatureRows> {
  const sources: FeatureRows[] = [];
  for (let source = 0; node.needs[`${model}${source}`] !== undefined; source++) {
    sources.push(await need(node, `${model}${source}`));
  }
  return joinRows(sources);
}
