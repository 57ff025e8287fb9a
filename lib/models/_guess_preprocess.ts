import type { PreprocessSpec } from "../config/mod.ts";
import type { OnnxFile } from "../onnx/mod.ts";
import type { ImageInput } from "./own_model.ts";

/** How images become a model's input, as far as its file tells. */
export interface GuessedPreprocess {
  readonly spec: PreprocessSpec;
  /** `given` by the user, `known` of a backbone, `read` in the graph, or `guessed`. */
  readonly certainty: "given" | "known" | "read" | "guessed";
  readonly why: string;
}

const imageNet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;
const unit = { mean: [0, 0, 0], std: [1, 1, 1] } as const;
/** Leaves the bytes of an image as they are, from 0 to 255. */
const bytes = { mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] } as const;
/** Torchvision resizes the shorter side to 256 where 224 are cropped. */
const margin = 256 / 224;

/**
 * What preprocessing a model was likely trained with. Only the side of the images and a
 * normalisation inside the graph can be read; the rest is what torchvision's models take.
 */
export async function guessPreprocess(
  onnx: OnnxFile,
  { image, folder }: { readonly image: ImageInput; readonly folder: string },
): Promise<GuessedPreprocess> {
  const sizes = {
    resize: { shorter: Math.round(image.imageSize * margin) },
    interpolation: "bilinear",
    crop: image.imageSize,
  } as const;
  if (image.type === "uint8") {
    return {
      spec: { ...sizes, ...bytes },
      certainty: "read",
      why: "the input takes bytes, so the graph normalises them; how images are resized is guessed",
    };
  }
  const inside = await normalisationInside(onnx, { input: image.name, folder });
  if (inside !== undefined) {
    const most = Math.max(...inside);
    const takesBytes = most > 16 || most < 0.02;
    return {
      spec: { ...sizes, ...(takesBytes ? bytes : unit) },
      certainty: "read",
      why: `the graph counts with ${
        inside.map((value) => Number(value.toPrecision(4))).join(", ")
      } first, so images go in from 0 to ${takesBytes ? 255 : 1}; how they are resized is guessed`,
    };
  }
  return {
    spec: { ...sizes, ...imageNet },
    certainty: "guessed",
    why: "ImageNet's mean and deviation, as torchvision's models take; the file does not tell",
  };
}

/** Three numbers that are subtracted from the image's channels or divide them before all else. */
async function normalisationInside(
  onnx: OnnxFile,
  { input, folder }: { readonly input: string; readonly folder: string },
): Promise<number[] | undefined> {
  for (const { operator, inputs } of new Set(onnx.producers.values())) {
    if (!inputs.includes(input) || !["Sub", "Div", "Mul", "Add"].includes(operator)) continue;
    const constant = inputs.find((name) => name !== input && onnx.isConstant(name));
    if (constant === undefined) continue;
    const { data } = await onnx.constant(constant, folder).catch(() => ({ data: [] }));
    if (data.length === 3 || data.length === 1) return Array.from(data, Math.abs);
  }
}
