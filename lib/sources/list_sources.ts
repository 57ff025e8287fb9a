import { join } from "node:path";
import { readReceipt } from "./_receipt.ts";
import type { Source } from "./sources.ts";

/** A source and whether it is there. */
export interface SourceState {
  readonly source: Source;
  readonly state: "present" | "own copy" | "partial" | "missing";
  /** Where it is, or how to get it. */
  readonly where: string;
}

/** The state of every source below the data folder `root`; looks at names, reads no data. */
export async function listSources(
  sources: readonly Source[],
  { root }: { readonly root: string },
): Promise<readonly SourceState[]> {
  return await Promise.all(sources.map((source) => stateOf(source, root)));
}

async function stateOf(source: Source, root: string): Promise<SourceState> {
  const path = join(root, source.path);
  if (await isPresent(source, path)) {
    const own = (await readReceipt(root, source))?.own;
    if (own !== undefined) return { source, state: "own copy", where: own };
    return { source, state: "present", where: path };
  }
  const { origin, name } = source;
  const how = origin.kind === "manual" ? origin.how : `deno task data fetch ${name}`;
  const begun = await Promise.all(partialPaths(source, root).map(exists));
  return { source, state: begun.includes(true) ? "partial" : "missing", where: how };
}

/** Whether a path is the source: a file, or a folder with everything that marks it. */
export async function isPresent(source: Source, path: string): Promise<boolean> {
  if (source.markers.length === 0) return await exists(path);
  return await markersIn(source, path) !== undefined;
}

/** What marks a folder as the source, by the names that it has there; undefined when one lacks. */
export async function markersIn(
  { markers }: Source,
  folder: string,
): Promise<readonly string[] | undefined> {
  const found: string[] = [];
  for (const marker of markers) {
    const names = marker.split(" or ");
    const there = await Promise.all(names.map((name) => exists(join(folder, name))));
    if (!there.includes(true)) return undefined;
    found.push(names[there.indexOf(true)]!);
  }
  return found;
}

/** Where the download of an archive or a zipped file is kept until it is unpacked. */
export function downloadPath(source: Source, root: string): string {
  return join(root, "downloads", source.name);
}

function partialPaths(source: Source, root: string): readonly string[] {
  const { origin } = source;
  if (origin.kind === "hub") {
    const files = origin.files.map((file) => join(root, source.path, file));
    return [...files, ...files.map((file) => `${file}.part`)];
  }
  const archive = downloadPath(source, root);
  return [`${join(root, source.path)}.part`, `${archive}.part`, archive];
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, (error) => {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  });
}
