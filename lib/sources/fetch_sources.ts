import { dirname, join } from "node:path";
import {
  asStorageError,
  fileSource,
  mapBounded,
  readZipDirectory,
  UserError,
  writeFileAtomically,
  zipEntryChunks,
} from "../files/mod.ts";
import { digestsOfFile, requireHashes } from "./_hashes.ts";
import { readReceipt, type Receipt, writeReceipt } from "./_receipt.ts";
import { request } from "./_request.ts";
import { download, type DownloadOptions, type Network } from "./download.ts";
import { downloadPath, isPresent } from "./list_sources.ts";
import type { Origin, Source } from "./sources.ts";
import { unpack } from "./unpack.ts";

/** How far the fetching of one source is; bytes of the file at hand, or files unpacked. */
export interface FetchProgress {
  readonly name: string;
  readonly phase: "download" | "unpack";
  readonly done: number;
  readonly total: number | undefined;
}

export interface FetchOptions extends Network {
  /** The data folder. */
  readonly root: string;
  /** Sources fetched at the same time. */
  readonly jobs: number;
  /** Nothing may be asked of the network. */
  readonly offline: boolean;
  readonly onProgress?: (progress: FetchProgress) => void;
}

/** What became of one source. */
export interface Fetched {
  readonly name: string;
  readonly status: "fetched" | "present" | "failed";
  /** Why it failed, and how to mend it. */
  readonly error?: unknown;
}

/**
 * Fetches sources in parallel. One that fails does not stop the others; one that is there already
 * is left alone. Whatever is complete is verified, then moved to its place at once.
 *
 * @throws the signal's reason when it is aborted; what came so far is kept for the next time.
 */
export async function fetchSources(
  sources: readonly Source[],
  options: FetchOptions,
): Promise<readonly Fetched[]> {
  return await Array.fromAsync(mapBounded(sources, {
    concurrency: options.jobs,
    ahead: sources.length,
    map: async (source): Promise<Fetched> => {
      options.signal?.throwIfAborted();
      try {
        return { name: source.name, status: await fetchSource(source, options) };
      } catch (error) {
        options.signal?.throwIfAborted();
        return { name: source.name, status: "failed", error };
      }
    },
  }));
}

async function fetchSource(source: Source, options: FetchOptions): Promise<"fetched" | "present"> {
  const { root } = options;
  const path = join(root, source.path);
  if (await isPresent(source, path)) return "present";
  const { origin, name } = source;
  if (origin.kind === "manual") {
    throw new UserError(`${name} cannot be fetched by a command. ${origin.how}`);
  }
  if (options.offline) {
    throw new UserError(
      `${name} is not in ${path}, and nothing is fetched offline; run without --offline, or name ` +
        "a folder that has it: deno task data:where FOLDER",
    );
  }
  try {
    // Another process may be at it: wait for it, then look again.
    await Deno.mkdir(join(root, "downloads"), { recursive: true });
    using lock = await Deno.open(`${downloadPath(source, root)}.lock`, {
      write: true,
      create: true,
    });
    await lock.lock(true);
    if (await isPresent(source, path)) return "present";
    const receipt = await fetchers[origin.kind](origin as never, { ...options, source, path });
    await writeReceipt(root, { source, receipt });
  } catch (cause) {
    throw asStorageError(path, cause);
  }
  return "fetched";
}

interface Job extends FetchOptions {
  readonly source: Source;
  /** The source's file or folder. */
  readonly path: string;
}

type OriginOf<Kind> = Extract<Origin, { kind: Kind }>;

const fetchers = { file: fetchFile, zipped: fetchZipped, archive: fetchArchive, hub: fetchHub };

async function fetchFile(origin: OriginOf<"file">, job: Job): Promise<Receipt> {
  const { bytes, sha256 } = await download(origin.url, job.path, downloadOptions(job, origin));
  return { files: { "": { bytes, sha256 } } };
}

async function fetchZipped(origin: OriginOf<"zipped">, job: Job): Promise<Receipt> {
  const archive = await fetchToUnpack(origin.url, { job, hashes: {} });
  const unpacked = `${job.path}.unpacking`;
  return await removing(archive, { job, url: origin.url }, async () => {
    await Deno.mkdir(dirname(job.path), { recursive: true });
    await unzipOne(archive, { entry: origin.entry, to: unpacked, limit: limitOf(job.source) });
    const found = await digestsOfFile(unpacked);
    requireHashes(origin.entry, { expected: origin.hashes, found });
    const { size: bytes } = await Deno.stat(unpacked);
    await Deno.rename(unpacked, job.path);
    return { files: { "": { bytes, sha256: found.sha256 } } };
  });
}

async function unzipOne(
  archive: string,
  { entry: wanted, to, limit }: {
    readonly entry: string;
    readonly to: string;
    readonly limit: number;
  },
): Promise<void> {
  using file = await Deno.open(archive);
  const source = await fileSource(file);
  const entry = (await readZipDirectory(source)).find(({ name }) => name === wanted);
  if (entry === undefined) throw new Error(`it does not hold ${wanted}.`);
  if (entry.size > limit) throw new Error(`${wanted} claims ${entry.size} bytes.`);
  await Deno.writeFile(to, ReadableStream.from(zipEntryChunks(source, entry)));
}

async function fetchArchive(origin: OriginOf<"archive">, job: Job): Promise<Receipt> {
  const { format, folder, url, hashes } = origin;
  const archive = await fetchToUnpack(url, { job, hashes });
  const unpacked = `${job.path}.unpacking`;
  const { signal, source } = job;
  const onProgress = (done: number) =>
    job.onProgress?.({ name: source.name, phase: "unpack", done, total: undefined });
  return await removing(archive, { job, url }, async () => {
    const tree = await unpack(archive, unpacked, { format, folder, signal, onProgress });
    if (!await isPresent(source, unpacked)) {
      throw new Error(`it does not hold ${source.markers.join(", ")}.`);
    }
    await Deno.rename(unpacked, job.path);
    return { tree };
  });
}

/** Downloads an archive, unless an earlier run was stopped only after that. */
async function fetchToUnpack(
  url: string,
  { job, hashes }: { readonly job: Job } & Pick<DownloadOptions, "hashes">,
): Promise<string> {
  const archive = downloadPath(job.source, job.root);
  const there = await Deno.stat(archive).catch(() => undefined);
  if (there === undefined) await download(url, archive, downloadOptions(job, { hashes }));
  // A run that was killed leaves what it had unpacked.
  await Deno.remove(`${job.path}.unpacking`, { recursive: true }).catch(() => {});
  return archive;
}

/** Unpacks; keeps the archive only when it is not its fault that this failed. */
async function removing<T>(
  archive: string,
  { job, url }: { readonly job: Job; readonly url: string },
  unpacking: () => Promise<T>,
): Promise<T> {
  try {
    const result = await unpacking();
    await Deno.remove(archive);
    return result;
  } catch (cause) {
    await Deno.remove(`${job.path}.unpacking`, { recursive: true }).catch(() => {});
    if (job.signal?.aborted || asStorageError(archive, cause) !== cause) throw cause;
    await Deno.remove(archive);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`Unpacking ${url}: ${reason} It was removed; fetch it again.`, { cause });
  }
}

async function fetchHub(origin: OriginOf<"hub">, job: Job): Promise<Receipt> {
  const { root, source } = job;
  const begun = (await readReceipt(root, source))?.revision;
  const revision = origin.revision === "main"
    ? begun ?? await commitOf(origin, job)
    : origin.revision;
  // Noted first, so that a run that goes on takes the rest from the same commit.
  await writeReceipt(root, { source, receipt: { revision } });
  const files: Record<string, { bytes: number; sha256: string }> = {};
  for (const file of origin.files) {
    const url = `${origin.hub}/${origin.id}/resolve/${revision}/${file}`;
    const path = join(job.path, file);
    const there = begun === revision ? await Deno.stat(path).catch(() => undefined) : undefined;
    const { bytes, sha256 } = there === undefined
      ? await download(url, path, downloadOptions(job, { hashes: {} }))
      : { bytes: there.size, sha256: (await digestsOfFile(path)).sha256 };
    files[file] = { bytes, sha256 };
  }
  // The card by which the files are checked whenever the model is opened.
  const sha256 = Object.fromEntries(Object.entries(files).map(([file, f]) => [file, f.sha256]));
  const card = JSON.stringify({ name: origin.id, revision, sha256 }, null, 2) + "\n";
  await writeFileAtomically(join(job.path, "card.json"), new TextEncoder().encode(card));
  return { revision, files };
}

/** The commit that a branch of the hub stands at now, so that all files are of one version. */
async function commitOf(origin: OriginOf<"hub">, job: Job): Promise<string> {
  const url = `${origin.hub}/api/models/${origin.id}/revision/main`;
  const signal = job.signal ?? new AbortController().signal;
  const response = await request(url, { fetch: job.fetch, headers: {}, signal });
  const { sha } = await response.json().catch(() => ({})) as { sha?: unknown };
  if (typeof sha === "string" && /^[0-9a-f]{40}$/.test(sha)) return sha;
  throw new UserError(`Asking ${url} for the commit of "main": the answer names none.`);
}

function downloadOptions(job: Job, { hashes }: Pick<DownloadOptions, "hashes">): DownloadOptions {
  const { fetch, sleep, signal, silence, source: { name } } = job;
  const maxBytes = limitOf(job.source);
  const onProgress = (done: number, total: number | undefined) =>
    job.onProgress?.({ name, phase: "download", done, total });
  return { fetch, sleep, signal, silence, hashes, maxBytes, onProgress };
}

/** Sizes are known approximately; twice as much is another file. */
function limitOf({ megabytes }: Source): number {
  return Math.ceil(megabytes * 2e6);
}
