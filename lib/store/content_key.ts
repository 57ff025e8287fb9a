import { sha256 } from "../files/mod.ts";

/** Anything that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | {
  readonly [key: string]: Json | undefined;
};

/** JSON with sorted keys and without `undefined`, so that equal values are equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, node) => {
    if (typeof node !== "object" || node === null || Array.isArray(node)) return node;
    return Object.fromEntries(Object.entries(node).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0));
  });
}

/** The key of an artifact: the hash of everything that its bytes depend on. */
export function contentKey(inputs: Json): string {
  return sha256(canonicalJson(inputs));
}
