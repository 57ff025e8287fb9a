import { createHash } from "node:crypto";
import {
  checkSources,
  type FetchOptions,
  type FetchProgress,
  listSources,
  type Source,
} from "../../lib/sources/mod.ts";
import { fileAnswer, serve, type Server } from "./_server.ts";

const archives = new URL("../fixtures/data/archives/", import.meta.url).pathname;
const pth = new URL("../fixtures/models/pth/", import.meta.url).pathname;
export const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/** The digest of bytes in hexadecimal digits. */
export const hex = (algorithm: string, bytes: Uint8Array) =>
  createHash(algorithm).update(bytes).digest("hex");
export const zipBytes = await Deno.readFile(`${archives}deflated.zip`);
export const tgzBytes = await Deno.readFile(`${archives}pax.tgz`);
const packed = await Deno.readFile(`${pth}packed.pth.zip`);
export const inner = await Deno.readFile(`${pth}legacy.pth`);
export const plain = await Deno.readFile(`${pth}zip.pth`);

/** One source of each kind, on a local server. */
function sourcesAt(url: string): readonly Source[] {
  const common = { neededBy: ["table1"], licence: "MIT", megabytes: 0.01, markers: [] };
  const sha256 = hex("sha256", plain);
  return [
    {
      ...common,
      name: "plain",
      path: "weights/plain.pth",
      origin: {
        kind: "file",
        url: `${url}/plain-${sha256.slice(0, 8)}.pth`,
        hashes: { sha256Prefix: sha256.slice(0, 8) },
      },
    },
    {
      ...common,
      name: "zipped",
      path: "weights/zipped.pth",
      origin: {
        kind: "zipped",
        url: `${url}/packed.pth.zip`,
        entry: "packed.pth",
        hashes: { sha1: hex("sha1", inner) },
      },
    },
    {
      ...common,
      name: "zipdata",
      path: "zipdata",
      markers: ["a.txt"],
      origin: {
        kind: "archive",
        url: `${url}/data.zip`,
        format: "zip",
        folder: "folder",
        hashes: {},
      },
    },
    {
      ...common,
      name: "tgzdata",
      path: "tgzdata",
      markers: ["a.txt", "none.txt or empty.txt"],
      origin: {
        kind: "archive",
        url: `${url}/data.tgz`,
        format: "tgz",
        folder: "folder",
        hashes: { md5: hex("md5", tgzBytes) },
      },
    },
    {
      ...common,
      name: "model",
      path: "hub/org/model",
      markers: ["config.json", "onnx/model.onnx"],
      origin: {
        kind: "hub",
        hub: url,
        id: "org/model",
        revision: "main",
        files: ["config.json", "onnx/model.onnx"],
      },
    },
    {
      ...common,
      name: "registered",
      path: "registered",
      markers: ["train", "val"],
      origin: { kind: "manual", how: "Register and download it." },
    },
  ];
}

export const bodies: Record<string, Uint8Array> = {
  [`/plain-${hex("sha256", plain).slice(0, 8)}.pth`]: plain,
  "/packed.pth.zip": packed,
  "/data.zip": zipBytes,
  "/data.tgz": tgzBytes,
  "/api/models/org/model/revision/main": new TextEncoder().encode(JSON.stringify({ sha: COMMIT })),
  [`/org/model/resolve/${COMMIT}/config.json`]: new TextEncoder().encode("{}"),
  [`/org/model/resolve/${COMMIT}/onnx/model.onnx`]: new TextEncoder().encode("onnx"),
};

/** A data folder, a server with `changed` bodies, and the options to fetch from it. */
export async function inRoom(
  work: (room: {
    root: string;
    server: Server;
    sources: readonly Source[];
    options: FetchOptions;
    progress: FetchProgress[];
  }) => Promise<void>,
  changed: Record<string, Uint8Array | undefined> = {},
): Promise<void> {
  const root = await Deno.makeTempDir();
  const progress: FetchProgress[] = [];
  try {
    await using server = serve((asked) => {
      const body = { ...bodies, ...changed }[asked.path];
      return body === undefined ? { status: "404 Not Found" } : fileAnswer(body, asked);
    });
    const options: FetchOptions = {
      root,
      jobs: 3,
      offline: false,
      fetch,
      sleep: () => Promise.resolve(),
      onProgress: (step) => void progress.push(step),
    };
    await work({ root, server, sources: sourcesAt(server.url), options, progress });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** The state of each source by its name. */
export async function states(
  sources: readonly Source[],
  root: string,
): Promise<Record<string, string>> {
  const listed = await listSources(sources, { root });
  return Object.fromEntries(listed.map(({ source, state }) => [source.name, state]));
}

/** The outcome of checking each source by its name. */
export async function checks(
  sources: readonly Source[],
  root: string,
): Promise<Record<string, string>> {
  const checked = await checkSources(sources, { root });
  return Object.fromEntries(checked.map(({ name, status }) => [name, status]));
}
