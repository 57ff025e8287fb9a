import type { SizedBackbone } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import {
  type Device,
  DeviceUnavailableError,
  openSession,
  type Session,
  type SessionOptions,
} from "../onnx/mod.ts";
import { type Tensor, tensor } from "../tensor/mod.ts";
import { outputLayers } from "./_output_layers.ts";
import { networkOf } from "./architectures/mod.ts";
import { networkGraph, parametersOf } from "./network_graph.ts";
import { checkStateDict } from "./state_dict.ts";

/** A target model: features and logits of preprocessed images. */
export interface Backbone {
  readonly name: string;
  /** The outputs it was opened with. */
  readonly outputs: readonly string[];
  /** Side of the images in pixels. */
  readonly imageSize: number;
  /** The last linear layer: weight [classes, width], bias [classes]. */
  readonly lastLayer: LastLayer;
  /**
   * Computes outputs of `count` images, CHW one after another: `features` [count, width], `logits`
   * [count, classes], depths by name [count, ...]. The pixels must stay as they are until it
   * resolves.
   *
   * @throws {RangeError} when the number of pixels is wrong or an output is unknown.
   */
  run<Name extends string>(
    pixels: Float32Array,
    count: number,
    outputs: readonly Name[],
  ): Promise<Record<Name, Tensor>>;
  close(): Promise<void>;
}

/** The last linear layer of a classifier: weight [classes, width], bias [classes]. */
export interface LastLayer {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/** Whether every number of a last layer is finite. */
export function isFiniteLayer({ weight, bias }: LastLayer): boolean {
  return weight.data.every(Number.isFinite) && bias.data.every(Number.isFinite);
}

/** How a backbone is opened. */
export interface OpenBackboneOptions {
  /** Its state dict, with the names of the library that it comes from. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly device?: Device | undefined;
  readonly threads?: number | undefined;
  /** The outputs to compute, of {@linkcode backboneOutputs}; features and logits when left out. */
  readonly outputs?: readonly string[] | undefined;
}

/**
 * Builds a backbone from its sizes and weights and loads it.
 *
 * @throws {UserError} when the weights do not fit, an output is unknown or the device is not there.
 */
export async function openBackbone(
  config: SizedBackbone,
  { weights, device, threads, outputs = ["features", "logits"] }: OpenBackboneOptions,
): Promise<Backbone> {
  const { name, architecture: { imageSize } } = config;
  const available = outputLayers(config);
  const unknown = outputs.filter((output) => available[output] === undefined);
  if (unknown.length > 0) {
    throw new UserError(
      `Backbone ${name} has no output ${unknown.join(", ")}: choose of ` +
        `${Object.keys(available).join(", ")}.`,
    );
  }
  const parameters = checkStateDict(weights, { name, parameters: backboneParameters(config) });
  const chosen = Object.fromEntries(outputs.map((output) => [output, available[output]!]));
  const session = await openModelSession(networkGraph(chosen, parameters), { device, threads });
  return {
    name,
    outputs,
    imageSize,
    lastLayer: lastLayerOf(config, parameters),
    run: async (pixels, count, names) => {
      const feeds = { pixels: tensor([count, 3, imageSize, imageSize], pixels) };
      return await session.run(feeds, names);
    },
    close: () => session.close(),
  };
}

/** The names of all outputs that a backbone can be opened with. */
export function backboneOutputs(config: SizedBackbone): string[] {
  return Object.keys(outputLayers(config));
}

/** Shapes of a backbone's parameters by their key in the state dict. */
export function backboneParameters(config: SizedBackbone): ReadonlyMap<string, readonly number[]> {
  return parametersOf([networkOf(config.architecture).outputs["logits"]!]);
}

/** The name of a backbone's last linear layer in the state dict. */
export function lastLayerName({ architecture }: SizedBackbone): string {
  return networkOf(architecture).lastLayer;
}

/**
 * The last linear layer of a backbone, without loading the rest.
 *
 * @throws {UserError} when the weights lack it.
 */
export function lastLayerOf(
  { name, architecture }: SizedBackbone,
  weights: ReadonlyMap<string, Tensor>,
): LastLayer {
  const { lastLayer } = networkOf(architecture);
  const [weight, bias] = ["weight", "bias"].map((suffix) => weights.get(`${lastLayer}.${suffix}`));
  if (weight === undefined || bias === undefined) {
    throw new UserError(
      `The weights for ${name} lack its last layer, ${lastLayer}: give the weights of this model.`,
    );
  }
  return { weight, bias };
}

/** A session on a device that the user chose. */
export async function openModelSession(
  model: Uint8Array | string,
  options: SessionOptions,
): Promise<Session> {
  try {
    return await openSession(model, options);
  } catch (cause) {
    if (cause instanceof DeviceUnavailableError) throw new UserError(cause.message, { cause });
    throw cause;
  }
}
