import { dirname, isAbsolute, join } from "node:path";
import { z } from "zod";
import { printable, quote, readText, UserError } from "../files/mod.ts";

/**
 * Reads a JSON config file and checks it against its schema. A file may extend another one in its
 * folder or below: `{ "extends": "base.json", ... }` states only what differs; objects merge by key,
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
  const field = printable(issue?.path.join(".") || "the file");
  throw new UserError(
    `Reading ${path} failed at ${field}: ${printable(issue?.message ?? "")}. Correct that field.`,
  );
}

async function readSpec(path: string, extendedBy: readonly string[]): Promise<unknown> {
  const spec = await readJson(path);
  if (typeof spec !== "object" || spec === null || !("extends" in spec)) return spec;
  const { extends: base, ...delta } = spec;
  const isBelow = typeof base === "string" && base !== "" && !isAbsolute(base) &&
    !base.split("/").includes("..");
  if (!isBelow || extendedBy.includes(path)) {
    const found = typeof base === "string" ? quote(base) : "something else than a name";
    throw new UserError(
      `Reading ${path} failed at extends: it must name another config file in its folder or below, ` +
        `not ${found}. Correct that field.`,
    );
  }
  return merge(await readSpec(join(dirname(path), base), [...extendedBy, path]), delta);
}

/** Names that the system takes for a file's. */
async function isFile(path: string): Promise<boolean> {
  return !path.includes("\0") && await Deno.stat(path).then(({ isFile }) => isFile, (error) => {
    const { NotFound, NotADirectory } = Deno.errors;
    const isNone = error instanceof NotFound || error instanceof NotADirectory ||
      error?.code === "ENAMETOOLONG";
    if (isNone) return false;
    throw error;
  });
}

async function readJson(path: string): Promise<unknown> {
  if (!await isFile(path)) {
    throw new UserError(`Config file ${printable(path)} does not exist. Correct its name.`);
  }
  return sane(parse(path, await readText(path)), path);
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = printable(cause instanceof Error ? cause.message : String(cause));
    throw new UserError(`Config file ${path} is not JSON: ${reason}. Correct the syntax.`, {
      cause,
    });
  }
}

/** More than any name, address or reason takes; what is longer could be shown by no message. */
const maxCharacters = 1000;
const maxDepth = 32;

/**
 * Returns a parsed file that can be walked and shown: not deep, its strings short and free of
 * characters that a terminal would obey.
 */
function sane(spec: unknown, path: string): unknown {
  const refuse = (what: string) => {
    throw new UserError(`Reading ${path} failed: it ${what}. Correct the file.`);
  };
  const left: (readonly [node: unknown, depth: number])[] = [[spec, 0]];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [node, depth] = next;
    if (typeof node === "string") {
      if (node.length > maxCharacters) {
        refuse(`holds a string of ${node.length} characters, and ${maxCharacters} are allowed`);
      }
      // deno-lint-ignore no-control-regex -- these are meant
      if (/[\x00-\x08\x0b-\x1f\x7f-\x9f]/.test(node)) {
        refuse(`holds control characters, in ${quote(node)}`);
      }
    } else if (typeof node === "object" && node !== null) {
      if (depth === maxDepth) refuse(`is nested more than ${maxDepth} levels deep`);
      for (const [key, child] of Object.entries(node)) {
        if (!Array.isArray(node)) left.push([key, depth]);
        left.push([child, depth + 1]);
      }
    }
  }
  return spec;
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
