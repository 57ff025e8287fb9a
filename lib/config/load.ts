import { dirname, join } from "node:path";
import { z } from "zod";
import { UserError } from "../files/mod.ts";

/**
 * Reads a JSON config file and checks it against its schema. A file may extend another one in the
 * same folder: `{ "extends": "base.json", ... }` states only what differs; objects merge by key,
 * lists and values replace.
 *
 * @throws {UserError} naming the file and the path of the wrong field.
 */
export async function loadConfig<T extends z.ZodType>(
  path: string,
  schema: T,
): Promise<z.output<T>> {
  return parseConfig(path, schema, { spec: await readSpec(path, []) });
}

/** Checks a config that is already in memory; `path` names it in errors. */
export function parseConfig<T extends z.ZodType>(
  path: string,
  schema: T,
  { spec }: { readonly spec: unknown },
): z.output<T> {
  const parsed = schema.safeParse(spec);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join(".") || "the file";
  throw new UserError(`Reading ${path} failed at ${field}: ${issue?.message}. Correct that field.`);
}

async function readSpec(path: string, extendedBy: readonly string[]): Promise<unknown> {
  const spec = await readJson(path);
  if (typeof spec !== "object" || spec === null || !("extends" in spec)) return spec;
  const { extends: base, ...delta } = spec;
  if (typeof base !== "string" || extendedBy.includes(path)) {
    throw new UserError(
      `Reading ${path} failed at extends: it must name another config file in its folder, not ${
        JSON.stringify(base)
      }.`,
    );
  }
  return merge(await readSpec(join(dirname(path), base), [...extendedBy, path]), delta);
}

async function readJson(path: string): Promise<unknown> {
  const text = await Deno.readTextFile(path).catch((cause) => {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new UserError(`Config file ${path} does not exist. Correct its name.`, { cause });
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    throw new UserError(`Config file ${path} is not JSON: ${reason}. Correct the syntax.`, {
      cause,
    });
  }
}

function merge(base: unknown, delta: unknown): unknown {
  if (!isRecord(base) || !isRecord(delta) || "source" in delta) return delta;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(delta)) merged[key] = merge(base[key], value);
  return merged;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
