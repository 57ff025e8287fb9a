import { deepEqual } from "node:assert/strict";
import {
  type Architecture,
  builtBackboneSchema,
  loadConfig,
  type SizedBackbone,
  withSizes,
} from "../../lib/config/mod.ts";
import { networkOf } from "../../lib/models/architectures/mod.ts";
import { backboneOutputs, backboneParameters, openBackbone } from "../../lib/models/mod.ts";
import { networkGraph } from "../../lib/models/network_graph.ts";
import { differentiate, gradientName, openSession } from "../../lib/onnx/mod.ts";
import { tensor } from "../../lib/tensor/mod.ts";
import { difference, type Summary } from "../onnx/_summary.ts";
import { type Draws, formulaPixels, formulaWeights, oneHot } from "./_formula.ts";

/** What tools/parity/reference.py writes. */
interface Reference {
  readonly images: number;
  readonly architecture: Architecture;
  readonly outputs: Readonly<Record<string, Summary>>;
  readonly gradients: {
    /** Whose logit is differentiated, for each image. */
    readonly classes: readonly number[];
    /** The channels whose weights are of a later draw than the first. */
    readonly draws: Draws;
    readonly at: Readonly<Record<string, Summary>>;
  };
}

/** The released backbone, or its narrow twin. */
export async function sizedBackbone(
  name: string,
  sizes: "released" | "world",
): Promise<SizedBackbone> {
  return withSizes(await loadConfig(`configs/backbones/${name}.json`, builtBackboneSchema), sizes);
}

/**
 * Runs a backbone at formula weights and compares every output that has a name with the original
 * library's: the greatest difference of each, relative to its greatest magnitude.
 */
export async function parity(
  name: string,
  sizes: "released" | "world",
): Promise<ReadonlyMap<string, number>> {
  const { config, reference } = await readReference(name, sizes);
  const outputs = backboneOutputs(config).filter((output) => output !== "intermediate_pooled");
  deepEqual(outputs.toSorted(), Object.keys(reference.outputs).toSorted());
  const weights = formulaWeights(backboneParameters(config));
  const backbone = await openBackbone(config, { weights, outputs });
  const pixels = formulaPixels(reference.images * 3 * backbone.imageSize ** 2);
  const computed = await backbone.run(pixels, reference.images, outputs);
  await backbone.close();
  return new Map(outputs.map((output) => [
    output,
    difference(computed[output]!, reference.outputs[output]!),
  ]));
}

/**
 * Differentiates a backbone at formula weights and compares with PyTorch's autograd in 64 bits the
 * gradients of one logit of each image at the pixels, every depth that has a name, and the features:
 * for each the greatest relative difference. Where the input of a ReLU is within rounding of zero,
 * the gradient is another one in 32 bits than in 64, in PyTorch as well: the channels that hold such
 * an input are drawn again.
 */
export async function gradientParity(
  name: string,
  sizes: "released" | "world",
): Promise<ReadonlyMap<string, number>> {
  const { config: { architecture }, config, reference } = await readReference(name, sizes);
  const { images, gradients: { classes, draws, at } } = reference;
  const { outputs } = networkOf(architecture);
  const values = ["pixels", ...Object.keys(outputs).filter((output) => output !== "logits")];
  deepEqual(values.toSorted(), Object.keys(at).toSorted());
  const graph = networkGraph(outputs, formulaWeights(backboneParameters(config), draws));
  const session = await openSession(differentiate(graph, { of: "logits", at: values }));
  const { imageSize } = architecture;
  const feeds = {
    pixels: tensor([images, 3, imageSize, imageSize], formulaPixels(images * 3 * imageSize ** 2)),
    [gradientName("logits")]: oneHot(classes, architecture.classes),
  };
  const computed = await session.run(feeds, values.map(gradientName));
  await session.close();
  return new Map(
    values.map((value) => [value, difference(computed[gradientName(value)]!, at[value]!)]),
  );
}

async function readReference(
  name: string,
  sizes: "released" | "world",
): Promise<{ config: SizedBackbone; reference: Reference }> {
  const path = new URL(`../fixtures/models/parity/${name}.${sizes}.json`, import.meta.url);
  const reference: Reference = JSON.parse(await Deno.readTextFile(path));
  const sized = await sizedBackbone(name, sizes);
  if (sizes === "released") deepEqual(sized.architecture, reference.architecture);
  return { config: { ...sized, architecture: reference.architecture }, reference };
}
