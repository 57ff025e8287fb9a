import { basename, dirname, join, resolve } from "node:path";
import { UserError } from "../files/mod.ts";
import { digestsOfFile, mismatch } from "./_hashes.ts";
import { writeReceipt } from "./_receipt.ts";
import { isPresent, markersIn } from "./list_sources.ts";
import type { Source } from "./sources.ts";

/** A copy of a source that the user has. */
export interface OwnCopy {
  readonly name: string;
  readonly path: string;
  /** Why it is not used; undefined when it is. */
  readonly refused?: string;
}

/**
 * Recognises sources in a folder of the user's: the folder itself, or what lies in it under the
 * published name. Each one found is linked to its place below the data folder, so that everything
 * finds it there; the copy itself is not touched. Parts of one dataset may lie in different folders:
 * what marks each is linked by itself. A file of the wrong hash is not linked.
 *
 * @throws {UserError} when the folder is missing or holds nothing that is needed.
 */
export async function useOwnCopies(
  folder: string,
  { sources, root }: { readonly sources: readonly Source[]; readonly root: string },
): Promise<readonly OwnCopy[]> {
  const absolute = resolve(folder);
  const info = await Deno.stat(absolute).catch(() => undefined);
  if (!info?.isDirectory) throw new UserError(`${absolute} is no folder. Correct its name.`);
  const copies: OwnCopy[] = [];
  for (const source of sources) {
    const path = await find(source, absolute);
    if (path === undefined || path === resolve(root, source.path)) continue;
    const links = await linksOf(source, { path, root });
    const refused = await refusal(source, { path, root, links });
    if (refused === undefined) await link(source, { path, root, links });
    copies.push({ name: source.name, path, ...refused === undefined ? {} : { refused } });
  }
  if (copies.length > 0) return copies;
  throw new UserError(
    `${absolute} holds nothing that is needed. Name the folder of a dataset (with ` +
      `${sources.find(({ markers }) => markers.length > 0)?.markers.join(", ") ?? "its files"}), ` +
      "of a hub model, or of weight files under their published names.",
  );
}

async function find(source: Source, folder: string): Promise<string | undefined> {
  const names = publishedNames(source);
  const paths = names.map((name) => join(folder, name));
  // The folder itself: by its name, or a dataset by what is in it. A model's files have the same
  // names as another model's.
  const isModel = source.path.startsWith("hub/");
  const isFolder = source.markers.length > 0;
  if (isFolder && (!isModel || names.includes(basename(folder)))) paths.push(folder);
  for (const path of paths) if (await isPresent(source, path)) return path;
  return undefined;
}

function publishedNames({ origin, path }: Source): readonly string[] {
  const name = basename(path);
  if (origin.kind === "file") return [name, basename(origin.url)];
  if (origin.kind === "zipped") return [name, origin.entry];
  return origin.kind === "hub" ? [name, origin.id] : [name];
}

/** A name below the data folder that is made to lead to a copy. */
interface Link {
  readonly place: string;
  readonly to: string;
}

/** The source's file or folder; of a part of a dataset, the entries of its folder that mark it. */
async function linksOf(
  source: Source,
  { path, root }: { readonly path: string; readonly root: string },
): Promise<readonly Link[]> {
  const place = join(root, source.path);
  if (source.part === undefined) return [{ place, to: path }];
  const markers = await markersIn(source, path) ?? [];
  const entries = new Set(markers.map((marker) => marker.split("/")[0]!));
  return [...entries].map((entry) => ({ place: join(place, entry), to: join(path, entry) }));
}

async function refusal(
  { origin, part, path: below }: Source,
  { path, root, links }: {
    readonly path: string;
    readonly root: string;
    readonly links: readonly Link[];
  },
): Promise<string | undefined> {
  const folder = join(root, below);
  if (part !== undefined && await isLink(folder)) {
    return `${folder} is a link to another folder; remove it first`;
  }
  for (const { place } of links) {
    if (await isLink(place) === false) return `${place} is there already`;
  }
  if (origin.kind !== "file" && origin.kind !== "zipped") return undefined;
  return mismatch(origin.hashes, await digestsOfFile(path));
}

/** Undefined where nothing is. */
async function isLink(path: string): Promise<boolean | undefined> {
  return await Deno.lstat(path).then(({ isSymlink }) => isSymlink, () => undefined);
}

async function link(
  source: Source,
  { path, root, links }: {
    readonly path: string;
    readonly root: string;
    readonly links: readonly Link[];
  },
): Promise<void> {
  for (const { place, to } of links) {
    await Deno.mkdir(dirname(place), { recursive: true });
    await Deno.remove(place).catch(() => {});
    const { isFile } = await Deno.stat(to);
    await Deno.symlink(to, place, { type: isFile ? "file" : "junction" });
  }
  await writeReceipt(root, { source, receipt: { own: path } });
}
