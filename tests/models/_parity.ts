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
import { formulaPixels, formulaWeights, oneHot } from "./_formula.ts";

/** What tools/parity/reference.py writes. */
interface Reference {
  readonly images: number;
  readonly architecture: Architecture;
  readonly outputs: Readonly<Record<string, Summary>>;
  readonly gradientTimesValue: {
    /** Whose logit is differentiated, for each image. */
    readonly classes: readonly number[];
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
 * Differentiates a backbone at formula weights and compares with PyTorch's autograd the gradients of
 * one logit of each image, at the pixels, every depth that has a name, and the features, each times
 * the value that it belongs to: for each the greatest relative difference. A quarter of the sampled
 * values is left out: where the input of a ReLU is within rounding of zero, all that lies behind it
 * gets another slope. PyTorch's own gradients in 32 bits differ from those in 64 bits by 2e-3 of
 * their norm on densenet169.
 */
export async function gradientParity(
  name: string,
  sizes: "released" | "world",
): Promise<ReadonlyMap<string, number>> {
  const { config: { architecture }, config, reference } = await readReference(name, sizes);
  const { images, gradientTimesValue } = reference;
  const { outputs } = networkOf(architecture);
  const depths = Object.keys(outputs).filter((output) => output !== "logits");
  const at = ["pixels", ...depths];
  deepEqual(at.toSorted(), Object.keys(gradientTimesValue.at).toSorted());
  const graph = networkGraph(outputs, formulaWeights(backboneParameters(config)));
  const session = await openSession(differentiate(graph, { of: "logits", at, outputs: depths }));
  const { imageSize, classes } = architecture;
  const feeds = {
    pixels: tensor([images, 3, imageSize, imageSize], formulaPixels(images * 3 * imageSize ** 2)),
    [gradientName("logits")]: oneHot(gradientTimesValue.classes, classes),
  };
  const computed = await session.run(feeds, [...at.map(gradientName), ...depths]);
  await session.close();
  return new Map(at.map((name) => {
    const [gradient, { data }] = [computed[gradientName(name)]!, { ...feeds, ...computed }[name]!];
    const product = tensor(gradient.shape, gradient.data.map((value, i) => value * data[i]!));
    return [name, difference(product, gradientTimesValue.at[name]!, { outliers: 4 })];
  }));
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
