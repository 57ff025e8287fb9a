import { join } from "node:path";
import { mapBounded } from "./map_bounded.ts";
import { UserError } from "./user_error.ts";

/** What lies in a folder under a name. */
export interface FolderEntry {
  readonly name: string;
  /** What it is without following links; `other` is a device, pipe or socket. */
  readonly kind: "file" | "folder" | "link" | "other";
}

/**
 * Lists a folder once, sorted by code units.
 *
 * @throws {Deno.errors.NotFound | Deno.errors.NotADirectory} when there is no such folder.
 * @throws {UserError} when it may not be read.
 */
export function readFolder(path: string): FolderEntry[] {
  try {
    return [...Deno.readDirSync(path)]
      .map(({ name, ...is }): FolderEntry => ({ name, kind: kindOf(is) }))
      .sort(byKey(({ name }) => name));
  } catch (cause) {
    if (!(cause instanceof Deno.errors.PermissionDenied)) throw cause;
    throw new UserError(`Listing the folder ${path}: it may not be read. Change its mode.`, {
      cause,
    });
  }
}

/** How a folder is walked. */
export interface WalkOptions {
  /** Whether links are followed; otherwise a link counts as a file, whatever it leads to. */
  readonly followLinks?: boolean;
}

/**
 * The paths of all files below a folder, relative to it with "/" between the names, sorted by code
 * units. Links are followed, since datasets are often trees of links to shared disks: one that
 * leads back to a folder around it is left out, one that leads nowhere counts as a file. Only the
 * names of the folders on the way are held.
 *
 * @throws {Deno.errors.NotFound | Deno.errors.NotADirectory} when there is no such folder.
 * @throws {UserError} when a folder may not be read.
 */
export async function* walkFiles(
  root: string,
  { followLinks = true }: WalkOptions = {},
): AsyncGenerator<string> {
  const pending: Node[] = [{ path: "", around: [await Deno.realPath(root)] }];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.around === undefined) yield node.path;
    else {
      const nodes = await nodesIn({ root, followLinks, ...node, around: node.around });
      for (const below of nodes.reverse()) pending.push(below);
    }
  }
}

/** A file, or a folder with the real paths of itself and of the folders around it. */
interface Node {
  readonly path: string;
  readonly around?: readonly string[] | undefined;
}

async function nodesIn(
  { root, followLinks, path, around }: Required<WalkOptions> & {
    readonly root: string;
    readonly path: string;
    readonly around: readonly string[];
  },
): Promise<Node[]> {
  const nodes: Node[] = [];
  const links: string[] = [];
  const real = around.at(-1)!;
  for (const { name, kind } of readFolder(join(root, path))) {
    const below = path === "" ? name : `${path}/${name}`;
    if (kind === "folder") nodes.push({ path: below, around: [...around, join(real, name)] });
    else if (kind === "link" && followLinks) links.push(below);
    else if (kind !== "other") nodes.push({ path: below });
  }
  const map = (below: string) => followed(below, { root, around });
  for await (const node of mapBounded(links, { concurrency: 16, map })) {
    if (node !== undefined) nodes.push(node);
  }
  // As if whole paths were compared: "a.txt" comes before "a/b".
  return nodes.sort(byKey(({ path, around }) => around === undefined ? path : `${path}/`));
}

async function followed(
  path: string,
  { root, around }: { readonly root: string; readonly around: readonly string[] },
): Promise<Node | undefined> {
  const link = join(root, path);
  const target = await Deno.stat(link).catch((error) => {
    const { NotFound, FilesystemLoop } = Deno.errors;
    if (!(error instanceof NotFound || error instanceof FilesystemLoop)) throw error;
  });
  if (target === undefined || target.isFile) return { path };
  const real = target.isDirectory ? await Deno.realPath(link) : undefined;
  if (real === undefined || around.includes(real)) return undefined;
  return { path, around: [...around, real] };
}

function kindOf(entry: Omit<Deno.DirEntry, "name">): FolderEntry["kind"] {
  if (entry.isSymlink) return "link";
  if (entry.isDirectory) return "folder";
  return entry.isFile ? "file" : "other";
}

function byKey<T>(key: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => {
    const [first, second] = [key(a), key(b)];
    return first < second ? -1 : first > second ? 1 : 0;
  };
}
