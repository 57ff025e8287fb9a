import type { SizedBackbone } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import { channelMeans, classToken, type Layer, networkOf } from "./architectures/mod.ts";

/**
 * The network's outputs and, where the config names them, the intermediate features as vectors.
 *
 * @throws {UserError} when the config names an intermediate output that the network does not have.
 */
export function outputLayers(
  { name, architecture, intermediate }: SizedBackbone,
): Readonly<Record<string, Layer>> {
  const { outputs } = networkOf(architecture);
  if (intermediate === undefined) return outputs;
  const { output, pool } = intermediate.value;
  const layer = outputs[output];
  if (layer === undefined) {
    throw new UserError(
      `Backbone ${name} has no output ${output}, which its config names as intermediate: choose ` +
        `of ${Object.keys(outputs).join(", ")}.`,
    );
  }
  const pooled = pool === "average" ? channelMeans(layer) : classToken(layer);
  return { ...outputs, intermediate_pooled: pooled };
}
