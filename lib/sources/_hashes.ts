import { filePieces, hashStream, UserError } from "../files/mod.ts";

/** What a file must hash to, in lower-case hexadecimal digits; several are all checked. */
export interface Hashes {
  readonly md5?: string | undefined;
  readonly sha1?: string | undefined;
  readonly sha256?: string | undefined;
  /** The first digits of the SHA-256. */
  readonly sha256Prefix?: string | undefined;
}

/** The digests of one file. */
export interface Digests {
  readonly md5: string;
  readonly sha1: string;
  readonly sha256: string;
}

/** Whether anything at all is known about what the file must hash to. */
export function isKnown({ md5, sha1, sha256, sha256Prefix }: Hashes): boolean {
  return [md5, sha1, sha256, sha256Prefix].some((hash) => hash !== undefined);
}

/** The digests of an open file from where it stands. */
export async function digestsOf(file: Deno.FsFile): Promise<Digests> {
  return await hashStream(filePieces(file), ["md5", "sha1", "sha256"]);
}

/** The digests of a file on disk. */
export async function digestsOfFile(path: string): Promise<Digests> {
  using file = await Deno.open(path);
  return await digestsOf(file);
}

/** The first expectation that the digests do not meet, in words; undefined when all are met. */
export function mismatch(expected: Hashes, found: Digests): string | undefined {
  const pairs = [
    ["MD5", expected.md5, found.md5],
    ["SHA-1", expected.sha1, found.sha1],
    ["SHA-256", expected.sha256, found.sha256],
    ["SHA-256 prefix", expected.sha256Prefix, found.sha256.slice(0, expected.sha256Prefix?.length)],
  ] as const;
  const wrong = pairs.find(([, want, have]) => want !== undefined && want !== have);
  return wrong && `expected ${wrong[0]} ${wrong[1]}, found ${wrong[2]}`;
}

/**
 * Checks a file that is complete against what it must hash to.
 *
 * @throws {UserError} naming the file, what was expected and what was found.
 */
export function requireHashes(
  name: string,
  { expected, found }: { readonly expected: Hashes; readonly found: Digests },
): void {
  const wrong = mismatch(expected, found);
  if (wrong === undefined) return;
  throw new UserError(
    `Checking ${name}: ${wrong}; it is damaged or another version, fetch it again.`,
  );
}
