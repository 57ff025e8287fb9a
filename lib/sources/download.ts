import { dirname } from "node:path";
import { UserError } from "../files/mod.ts";
import { type Digests, digestsOf, type Hashes, isKnown, mismatch } from "./_hashes.ts";
import { request, TransientError } from "./_request.ts";

/** The world outside of a download, passed in so that a test can stand for it. */
export interface Network {
  readonly fetch: typeof globalThis.fetch;
  /** Waits so many milliseconds, between two attempts. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
  /** A connection that is silent for so many milliseconds is given up; 60,000 when absent. */
  readonly silence?: number | undefined;
}

export interface DownloadOptions extends Network {
  readonly hashes: Hashes;
  /** More bytes than this are not written. */
  readonly maxBytes: number;
  readonly onProgress?: (bytes: number, total: number | undefined) => void;
}

/** A downloaded file. */
export interface Downloaded extends Digests {
  readonly bytes: number;
}

/** Attempts without progress; a megabyte more than ever before starts the count anew. */
const ATTEMPTS = 6;
const PROGRESS = 1_000_000;

/**
 * Downloads a file to `path`: into `path.part` first, going on where an earlier attempt or run
 * stopped if the server still has the same file (If-Range), renamed when complete and its hashes
 * are right.
 *
 * @throws {UserError} when the address does not answer after several attempts, refuses, sends too
 * much, or sends a file of another hash.
 */
export async function download(
  url: string,
  path: string,
  options: DownloadOptions,
): Promise<Downloaded> {
  await Deno.mkdir(dirname(path), { recursive: true });
  using part = await Deno.open(`${path}.part`, { read: true, write: true, create: true });
  const target = { url, part, note: `${path}.part.json` };
  try {
    const digests = await persevere(target, options);
    const { size: bytes } = await part.stat();
    await part.syncData();
    await Deno.rename(`${path}.part`, path);
    await Deno.remove(target.note).catch(() => {});
    return { ...digests, bytes };
  } catch (error) {
    if ((await part.stat()).size === 0) {
      await Deno.remove(`${path}.part`).catch(() => {});
      await Deno.remove(target.note).catch(() => {});
    }
    throw error;
  }
}

/** Attempts until the file is complete. */
async function persevere(target: Target, options: DownloadOptions): Promise<Digests> {
  let farthest = 0;
  for (let attempt = 1;; attempt++) {
    try {
      return await complete(target, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof TransientError)) throw error;
      const { size } = await target.part.stat();
      if (size >= farthest + PROGRESS) {
        farthest = size;
        attempt = 1;
      }
      if (attempt >= ATTEMPTS) throw givenUp(target.url, error);
      await options.sleep(error.retryAfter ?? 1000 * 2 ** (attempt - 1));
      options.signal?.throwIfAborted();
    }
  }
}

interface Target {
  readonly url: string;
  readonly part: Deno.FsFile;
  /** Where the validators of the partial file are kept. */
  readonly note: string;
}

/** What identifies the version of a file on a server, for If-Range. */
interface Note {
  readonly url: string;
  readonly validator: string | null;
}

/** One attempt: whatever is missing, then the hashes. */
async function complete(target: Target, options: DownloadOptions): Promise<Digests> {
  const resumed = await transfer(target, options);
  await target.part.seek(0, Deno.SeekMode.Start);
  const digests = await digestsOf(target.part);
  const wrong = mismatch(options.hashes, digests);
  if (wrong === undefined) return digests;
  await target.part.truncate(0);
  // Two halves of different versions may have met; whole and wrong will not become right.
  if (resumed) throw new TransientError(`after going on from a part, ${wrong}`);
  throw new UserError(
    `Downloading ${target.url}: ${wrong}; the server has another file there now, or something on ` +
      "the way changed it. Nothing was kept.",
  );
}

/** Asks for what is missing and appends it; says whether a part was there before. */
async function transfer(target: Target, options: DownloadOptions): Promise<boolean> {
  const { url, part } = target;
  const silence = new AbortController();
  const wait = options.silence ?? 60_000;
  const fallSilent = () => silence.abort(new TransientError(`nothing came for ${wait / 1000} s`));
  let timer = setTimeout(fallSilent, wait);
  const signal = AbortSignal.any([silence.signal, ...options.signal ? [options.signal] : []]);
  try {
    const headers = await rangeHeaders(target, options);
    const response = await request(url, { fetch: options.fetch, headers, signal });
    const { from, total } = await begin(target, response);
    if (from === total) return from > 0;
    let size = from;
    for await (const chunk of response.body ?? []) {
      clearTimeout(timer);
      timer = setTimeout(fallSilent, wait);
      size += chunk.length;
      if (size > options.maxBytes) throw tooMuch(url, options.maxBytes);
      await writeAll(part, chunk);
      options.onProgress?.(size, total);
    }
    if (total !== undefined && size !== total) {
      throw new TransientError(`the connection ended after ${size} of ${total} bytes`);
    }
    return from > 0;
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (silence.signal.aborted) throw silence.signal.reason;
    // A body that breaks off is a TypeError, or an Error of the HTTP client.
    if (cause instanceof UserError || cause instanceof TransientError) throw cause;
    if (isNetworkFailure(cause)) {
      throw new TransientError(`the connection broke: ${cause.message}`, { cause });
    }
    throw cause;
  } finally {
    clearTimeout(timer);
  }
}

async function rangeHeaders(
  { url, part, note }: Target,
  { hashes }: DownloadOptions,
): Promise<Record<string, string>> {
  const { size } = await part.stat();
  const known = await Deno.readTextFile(note).then((text) => JSON.parse(text) as Note, () => null);
  const validator = known?.url === url ? known.validator : null;
  // Without a validator only the final hash can tell whether the rest belongs to the part.
  if (size === 0 || (validator === null && !isKnown(hashes))) return {};
  return { range: `bytes=${size}-`, ...validator === null ? {} : { "if-range": validator } };
}

/** Reads the answer's head: where its body begins in the file, and how long the file is. */
async function begin(
  { url, part, note }: Target,
  response: Response,
): Promise<{ readonly from: number; readonly total: number | undefined }> {
  const { size } = await part.stat();
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
  const total = range === null ? undefined : Number(range[2]);
  if (response.status === 206 && total !== undefined && Number(range?.[1]) === size) {
    await part.seek(size, Deno.SeekMode.Start);
    return { from: size, total };
  }
  if (response.status === 416 && total === size && size > 0) {
    await response.body?.cancel();
    return { from: size, total };
  }
  await part.truncate(0);
  await part.seek(0, Deno.SeekMode.Start);
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new TransientError(`the server answered ${response.status} for a range it does not have`);
  }
  await Deno.writeTextFile(note, JSON.stringify({ url, validator: validatorOf(response) }));
  const length = response.headers.get("content-length");
  return { from: 0, total: length === null ? undefined : Number(length) };
}

/** A strong ETag, else the date of the last change; weak tags do not identify bytes. */
function validatorOf({ headers }: Response): string | null {
  const tag = headers.get("etag");
  return tag !== null && !tag.startsWith("W/") ? tag : headers.get("last-modified");
}

async function writeAll(file: Deno.FsFile, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length;) {
    written += await file.write(chunk.subarray(written));
  }
}

function isNetworkFailure(cause: unknown): cause is Error {
  return cause instanceof TypeError || cause instanceof Deno.errors.Http ||
    cause instanceof Deno.errors.ConnectionReset || cause instanceof Deno.errors.UnexpectedEof ||
    cause instanceof Deno.errors.BrokenPipe;
}

function tooMuch(url: string, maxBytes: number): UserError {
  return new UserError(
    `Downloading ${url}: the server sends more than ${maxBytes} bytes, which is not the file.`,
  );
}

function givenUp(url: string, cause: TransientError): UserError {
  return new UserError(
    `Downloading ${url}: ${cause.message}, after ${ATTEMPTS} attempts. What came is kept; run the ` +
      "same command again to go on.",
    { cause },
  );
}
