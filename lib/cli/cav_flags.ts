import { loadConfig, preprocessSchema, type PreprocessSpec } from "../config/mod.ts";
import { UserError } from "../files/mod.ts";
import type { ModelChoices } from "../models/mod.ts";
import { resolve } from "node:path";

/** The flags that say what a model's file leaves open. */
export interface ModelFlags {
  readonly profile?: string;
  readonly input?: string;
  readonly logits?: string;
  readonly size?: number;
  readonly preprocess?: string;
}

/** A flag of any text that may be left out. */
export function optionalText(brief: string) {
  return { kind: "parsed", parse: String, brief, optional: true } as const;
}

/** A whole number from 1. */
export function parseCount(input: string): number {
  const count = Number(input);
  if (Number.isSafeInteger(count) && count >= 1 && /^\d+$/.test(input)) return count;
  throw new UserError(`"${input}" is no whole number from 1.`);
}

/** How the command line describes {@linkcode ModelFlags}. */
export const modelFlags = {
  profile: optionalText("Whose weights a backbone by name has: world (embedded), quick or paper"),
  input: optionalText("The input that takes the images, where an ONNX file has several"),
  logits: optionalText("The value that holds the logits, where an ONNX file has several outputs"),
  size: {
    kind: "parsed",
    parse: parseCount,
    brief: "Side of the images in pixels, where an ONNX file leaves it open",
    optional: true,
  },
  preprocess: optionalText("A JSON file with resize, interpolation, crop, mean and std"),
} as const;

/** What the flags say of a model. */
export async function choicesOf(
  { input, logits, size: imageSize, preprocess }: ModelFlags,
  { root }: { readonly root: string },
): Promise<ModelChoices> {
  const spec: PreprocessSpec | undefined = preprocess === undefined
    ? undefined
    : await loadConfig(resolve(root, preprocess), preprocessSchema);
  return { input, logits, imageSize, preprocess: spec };
}
