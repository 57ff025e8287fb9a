import { z } from "zod";

/**
 * A hyper-parameter with where its value comes from: a section, equation or table of the paper, or
 * `assumed` where the paper leaves it open.
 */
export interface Sourced<T> {
  readonly value: T;
  readonly source: string;
  /** Why this value, where the source is `assumed`. */
  readonly why?: string | undefined;
}

/** The schema of a hyper-parameter in a config file: `{ "value": ..., "source": ..., "why": ... }`. */
export function sourced<T extends z.ZodType>(value: T) {
  return z.strictObject({
    value,
    source: z.string().regex(/^(assumed|paper .+|torchvision|pytorchcv|CLIP|arXiv .+)$/),
    why: z.string().min(1).optional(),
  }).refine(({ source, why }) => source !== "assumed" || why !== undefined, {
    path: ["why"],
    message: "an assumed value needs a reason",
  }).readonly();
}

/** A config whose hyper-parameters are bare values: every `Sourced<T>` in it became its `T`. */
export type Plain<T> = T extends Sourced<infer V> ? V
  : T extends readonly (infer I)[] ? readonly Plain<I>[]
  : T extends object ? { readonly [K in keyof T]: Plain<T[K]> }
  : T;

/** Strips the sources off a config; what the code computes with. */
export function plain<T>(config: T): Plain<T> {
  return strip(config) as Plain<T>;
}

function strip(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(strip);
  if (typeof node !== "object" || node === null) return node;
  if ("value" in node && "source" in node) return node.value;
  return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, strip(child)]));
}

/** Every hyper-parameter of a config with its path, value and source, in the order of the file. */
export function provenance(
  config: unknown,
  path = "",
): { readonly path: string; readonly value: unknown; readonly source: string }[] {
  if (typeof config !== "object" || config === null) return [];
  if ("value" in config && "source" in config) {
    return [{ path, value: config.value, source: String(config.source) }];
  }
  return Object.entries(config).flatMap(([key, child]) =>
    provenance(child, path === "" ? key : `${path}.${key}`)
  );
}
