import { join } from "node:path";
import { hashTree } from "../files/mod.ts";
import { type Digests, digestsOfFile, mismatch } from "./_hashes.ts";
import { readReceipt } from "./_receipt.ts";
import { isPresent } from "./list_sources.ts";
import type { Source } from "./sources.ts";

/** What re-reading a source showed. */
export interface Checked {
  readonly name: string;
  /** `unverified`: it is there, but nothing says what it must hash to. */
  readonly status: "right" | "damaged" | "missing" | "unverified";
  readonly reason: string;
}

/**
 * Reads sources again and compares them with their published hashes and with what was fetched.
 * Nothing is changed.
 */
export async function checkSources(
  sources: readonly Source[],
  { root, onChecked }: { readonly root: string; readonly onChecked?: (checked: Checked) => void },
): Promise<readonly Checked[]> {
  const results: Checked[] = [];
  for (const source of sources) {
    const checked = { name: source.name, ...await check(source, root) };
    onChecked?.(checked);
    results.push(checked);
  }
  return results;
}

async function check(source: Source, root: string): Promise<Omit<Checked, "name">> {
  const path = join(root, source.path);
  if (!await isPresent(source, path)) return { status: "missing", reason: `not in ${path}` };
  const { tree, files = {} } = await readReceipt(root, source) ?? {};
  let verified = false;
  for (const [file, { sha256 }] of Object.entries(files)) {
    const damage = await compare(join(path, file), (found) => mismatch({ sha256 }, found));
    if (damage !== undefined) return damaged(source, damage);
    verified = true;
  }
  const { origin } = source;
  if (origin.kind === "file" || origin.kind === "zipped") {
    const damage = await compare(path, (found) => mismatch(origin.hashes, found));
    if (damage !== undefined) return damaged(source, damage);
    verified = true;
  }
  if (tree !== undefined) {
    const found = await hashTree(path);
    if (found.sha256 !== tree.sha256) {
      const reason = `${found.files} files of ${found.bytes} bytes differ from the ` +
        `${tree.files} of ${tree.bytes} bytes that were unpacked`;
      return damaged(source, reason);
    }
    verified = true;
  }
  if (verified) return { status: "right", reason: "" };
  return { status: "unverified", reason: "your own copy, whose hash is not known" };
}

async function compare(
  path: string,
  judge: (found: Digests) => string | undefined,
): Promise<string | undefined> {
  const wrong = judge(await digestsOfFile(path));
  return wrong && `${path}: ${wrong}`;
}

function damaged(source: Source, damage: string): Omit<Checked, "name"> {
  const mend = source.origin.kind === "manual"
    ? "get it again"
    : `remove it and run: deno task data fetch ${source.name}`;
  return { status: "damaged", reason: `${damage}; ${mend}` };
}
