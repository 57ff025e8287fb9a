import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomically } from "../files/mod.ts";
import type { Source } from "./sources.ts";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What was fetched, or where the user's own copy is; kept beside the data. */
const receiptSchema = z.strictObject({
  /** A copy of the user's, to which the source's path is a link. */
  own: z.string().optional(),
  /** The commit of a hub model. */
  revision: z.string().optional(),
  /** Single files by their path below the source's folder ("" for a source that is a file). */
  files: z.record(z.string(), z.strictObject({ bytes: z.int(), sha256 })).optional(),
  /** An unpacked folder. */
  tree: z.strictObject({ files: z.int(), bytes: z.int(), sha256 }).optional(),
}).readonly();

export type Receipt = z.output<typeof receiptSchema>;

/** The receipt of a source below the data folder `root`; undefined when there is no valid one. */
export async function readReceipt(root: string, source: Source): Promise<Receipt | undefined> {
  try {
    return receiptSchema.parse(JSON.parse(await Deno.readTextFile(pathOf(root, source))));
  } catch {
    return undefined;
  }
}

/** Keeps what is known of a source that is now there. */
export async function writeReceipt(
  root: string,
  { source, receipt }: { readonly source: Source; readonly receipt: Receipt },
): Promise<void> {
  const json = JSON.stringify(receipt, null, 2) + "\n";
  await writeFileAtomically(pathOf(root, source), new TextEncoder().encode(json));
}

function pathOf(root: string, source: Source): string {
  return join(root, "receipts", `${source.name}.json`);
}
