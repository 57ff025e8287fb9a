import type { SizedBackbone } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import { type Device, differentiate, gradientName } from "../onnx/mod.ts";
import { type Tensor, tensor, zeros } from "../tensor/mod.ts";
import { networkOf } from "./architectures/mod.ts";
import { backboneParameters, openModelSession } from "./backbone.ts";
import { networkGraph } from "./network_graph.ts";
import { checkStateDict } from "./state_dict.ts";

/** The gradients of a backbone's logits at an intermediate layer. */
export interface LogitGradients {
  /** Side of the images in pixels. */
  readonly imageSize: number;
  /** How many logits there are. */
  readonly logits: number;
  /**
   * Of each image the gradient of one of its logits, [images, width]: with respect to the whole
   * feature map, flattened, or to what `pool` leaves of it.
   *
   * @param pixels preprocessed images, CHW one after another.
   * @param logits which logit of each image.
   */
  gradientsOf(pixels: Float32Array, logits: readonly number[]): Promise<Tensor>;
  close(): Promise<void>;
}

/** Where gradients are taken. */
export interface LogitGradientsOptions {
  readonly weights: ReadonlyMap<string, Tensor>;
  /** A depth by its name, or `intermediate_pooled`: the one of the config, pooled. */
  readonly output: string;
  readonly device?: Device | undefined;
  readonly threads?: number | undefined;
}

/**
 * Opens the gradients of a backbone's logits, by reverse-mode differentiation of its graph.
 *
 * A network reads the whole map, not its pooled vector. Where features are channel means, a CAV moves
 * every position alike, so the gradient along it is that of the map summed over positions; where
 * they are the class token, it is the token's gradient.
 *
 * @throws {UserError} when the weights do not fit or the backbone has no such output.
 */
export async function openLogitGradients(
  config: SizedBackbone,
  { weights, output, device, threads }: LogitGradientsOptions,
): Promise<LogitGradients> {
  const { name, architecture, intermediate } = config;
  const { outputs } = networkOf(architecture);
  const pooled = output === "intermediate_pooled";
  const depth = pooled ? intermediate?.value.output : output;
  const layer = depth === undefined ? undefined : outputs[depth];
  if (depth === undefined || layer === undefined) {
    throw new UserError(
      `Backbone ${name} has no output ${depth ?? output}: choose of ${
        Object.keys(outputs).join(", ")
      }.`,
    );
  }
  const parameters = checkStateDict(weights, { name, parameters: backboneParameters(config) });
  const graph = networkGraph({ [depth]: layer, logits: outputs["logits"]! }, parameters);
  const session = await openModelSession(differentiate(graph, { of: "logits", at: [depth] }), {
    device,
    threads,
  });
  const { imageSize, classes } = architecture;
  return {
    imageSize,
    logits: classes,
    gradientsOf: async (pixels, logits) => {
      const images = logits.length;
      const chosen = zeros([images, classes]);
      logits.forEach((logit, image) => chosen.data[image * classes + logit] = 1);
      const wanted = gradientName(depth);
      const { [wanted]: gradient } = await session.run({
        pixels: tensor([images, 3, imageSize, imageSize], pixels),
        [gradientName("logits")]: chosen,
      }, [wanted]);
      return pooled ? pool(gradient!, intermediate!.value.pool) : flat(gradient!);
    },
    close: () => session.close(),
  };
}

function flat({ shape: [images = 0], data }: Tensor): Tensor {
  return tensor([images, data.length / images], data);
}

/** [images, channels, height, width] summed over positions, or the first of [images, tokens, width]. */
function pool({ shape, data }: Tensor, by: "average" | "class_token"): Tensor {
  const [images = 0, second = 0] = shape;
  const rest = data.length / images / second;
  if (by === "class_token") {
    const tokens = zeros([images, rest]);
    for (let image = 0; image < images; image++) {
      const start = image * second * rest;
      tokens.data.set(data.subarray(start, start + rest), image * rest);
    }
    return tokens;
  }
  const sums = zeros([images, second]);
  for (let i = 0; i < sums.data.length; i++) {
    let sum = 0;
    for (let at = i * rest; at < (i + 1) * rest; at++) sum += data[at]!;
    sums.data[i] = sum;
  }
  return sums;
}
