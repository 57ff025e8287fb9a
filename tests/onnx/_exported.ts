import { gunzipSync } from "node:zlib";
import { differentiate, gradientName, openSession, tailOf } from "../../lib/onnx/mod.ts";
import { type Tensor, tensor } from "../../lib/tensor/mod.ts";
import { formulaPixels, oneHot } from "../models/_formula.ts";
import { difference, type Summary } from "./_summary.ts";

/** Models in the folder that tools/fixtures/exported_gradients.py writes. */
export const exportedModels = [
  "mobilenet_v3_small",
  "efficientnet_b0",
  "convnext_tiny",
  "swin_t",
  "regnet_y_400mf",
  "inception_v3",
] as const;

/** A model as one of PyTorch's exporters wrote it, and gradients by autograd. */
export interface ExportedModel {
  readonly bytes: Uint8Array;
  /** Images of noise, [images, 3, size, size]. */
  readonly pixels: Tensor;
  /** How many logits it computes of an image. */
  readonly logits: number;
  /** Whose logit is differentiated, for each image. */
  readonly classes: readonly number[];
  /** The name of a value inside. */
  readonly inner: string;
  readonly gradients: Readonly<Record<"pixels" | "inner", Summary>>;
}

/** Reads a model and what goes with it. */
export async function readExported(
  name: string,
  { exporter, folder }: { readonly exporter: "torchscript" | "dynamo"; readonly folder: URL },
): Promise<ExportedModel> {
  const { images, imageSize, logits, classes, inner, gradients } = JSON.parse(
    await Deno.readTextFile(new URL(`${name}.json`, folder)),
  );
  const size = images * 3 * imageSize ** 2;
  return {
    bytes: gunzipSync(await Deno.readFile(new URL(`${name}.${exporter}.onnx.gz`, folder))),
    pixels: tensor([images, 3, imageSize, imageSize], formulaPixels(size)),
    logits,
    classes,
    inner: inner[exporter],
    gradients,
  };
}

/** What the gradients of a model are: at the pixels, at the value inside, and by the tail from it. */
export async function exportedGradients(
  { bytes, pixels, logits, classes, inner }: Omit<ExportedModel, "gradients">,
): Promise<Readonly<Record<"pixels" | "inner" | "tail", Tensor>>> {
  const [atPixels, atInner] = [gradientName("pixels"), gradientName(inner)];
  const at = { of: "logits", at: ["pixels", inner], outputs: [inner] };
  const seed = { [gradientName("logits")]: oneHot(classes, logits) };
  const whole = await openSession(differentiate(bytes, at));
  const results = await whole.run({ pixels, ...seed }, [atPixels, atInner, inner]);
  await whole.close();
  const tail = tailOf(bytes, { from: inner, to: "logits" });
  const session = await openSession(differentiate(tail, { of: "logits", at: [inner] }));
  const ofTail = await session.run({ [inner]: results[inner]!, ...seed }, [atInner]);
  await session.close();
  return { pixels: results[atPixels]!, inner: results[atInner]!, tail: ofTail[atInner]! };
}

/** The greatest relative differences from PyTorch's gradients. */
export async function exportedDifferences(
  model: ExportedModel,
): Promise<Readonly<Record<"pixels" | "inner" | "tail", number>>> {
  const { pixels, inner, tail } = await exportedGradients(model);
  return {
    pixels: difference(pixels, model.gradients.pixels),
    inner: difference(inner, model.gradients.inner),
    tail: difference(tail, model.gradients.inner),
  };
}
