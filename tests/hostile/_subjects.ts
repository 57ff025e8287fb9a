import { crc32, gunzipSync } from "node:zlib";
import { parseTable } from "../../lib/datasets/_table_file.ts";
import {
  memorySource,
  readZipDirectory,
  readZipEntry,
  tarEntries,
  zipEntryChunks,
} from "../../lib/files/mod.ts";
import { decodeImage } from "../../lib/images/mod.ts";
import { readPth, unzipPth } from "../../lib/models/weights/mod.ts";
import { readOnnx } from "../../lib/onnx/mod.ts";
import { type Random, readSafetensors } from "../../lib/tensor/mod.ts";
import { zip } from "../files/_zip_files.ts";
import { joined, mutated } from "./_mutations.ts";
import { randomPickle } from "./_pickles.ts";

/** A reader of foreign files, and the files that are damaged to try it. */
export interface Subject {
  readonly name: string;
  readonly samples: readonly Uint8Array[];
  readonly mutate: (
    bytes: Uint8Array,
    random: Random,
    donor: Uint8Array,
  ) => Uint8Array | Promise<Uint8Array>;
  readonly read: (bytes: Uint8Array) => unknown;
}

const fixtures = new URL("../fixtures/", import.meta.url).pathname;

/** Every reader of files that nobody here wrote. */
export async function subjects(): Promise<readonly Subject[]> {
  const pth = [...await samplesOf("models/pth", /\.pth$/), ...await checkpoints()];
  const tars = (await samplesOf("data/archives", /\.tgz$/)).map((bytes) => gunzipped(bytes));
  return [
    { name: "weights", samples: pth, mutate: mutated, read: readPth },
    {
      name: "weights, pickle damaged",
      samples: pth.filter((bytes) => bytes[0] === "P".charCodeAt(0)),
      mutate: mutatedPickle,
      read: readPth,
    },
    {
      name: "weights, pickle of any instructions",
      samples: [new Uint8Array()],
      mutate: (_, random) => randomPickle(random),
      read: async (pickle) => await readPth(weights(pickle)),
    },
    {
      name: "packed weights",
      samples: await samplesOf("models/pth", /\.pth\.zip$/),
      mutate: mutated,
      read: async (bytes) => await readPth(await unzipPth(bytes)),
    },
    {
      name: "safetensors",
      samples: await samplesOf("tensor", /\.safetensors$/),
      mutate: mutated,
      read: readSafetensors,
    },
    {
      name: "zip",
      samples: await samplesOf("data/archives", /\.zip$/),
      mutate: mutated,
      read: readZip,
    },
    { name: "tar", samples: tars, mutate: mutatedTar, read: readTar },
    {
      name: "ONNX",
      samples: await samplesOf("models/onnx", /\.onnx$/),
      mutate: mutated,
      read: readGraph,
    },
    { name: "tables", samples: [table], mutate: mutated, read: readTable },
    {
      name: "images",
      samples: await samplesOf("data/images", /./),
      mutate: mutatedImage,
      read: (bytes) => decodeImage(bytes, "an image"),
    },
  ];
}

const table = new TextEncoder().encode(
  'number,name,category\n1,red-c,"color(3),a ""b"""\r\n2,x,y\n',
);

async function samplesOf(folder: string, wanted: RegExp): Promise<Uint8Array[]> {
  const names = [...Deno.readDirSync(fixtures + folder)].map(({ name }) => name);
  return await Promise.all(
    names.filter((name) => wanted.test(name)).sort()
      .map((name) => Deno.readFile(`${fixtures}${folder}/${name}`)),
  );
}

function gunzipped(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(gunzipSync(bytes));
}

/** The files of PyTorch that are tried one by one in tests/models/weights. */
async function checkpoints(): Promise<Uint8Array[]> {
  const cases = gunzipped(await Deno.readFile(`${fixtures}models/checkpoints.json.gz`));
  const files = JSON.parse(new TextDecoder().decode(cases)) as { ending: string; bytes: string }[];
  return files.filter(({ ending }) => ending !== ".safetensors")
    .map(({ bytes }) => Uint8Array.fromBase64(bytes));
}

/** Damages the pickle in a zip, whose checksums are right again. */
async function mutatedPickle(
  bytes: Uint8Array,
  random: Random,
  donor: Uint8Array,
): Promise<Uint8Array> {
  const source = memorySource(bytes);
  const entries = [];
  for (const entry of await readZipDirectory(source)) {
    const body = await readZipEntry(source, entry);
    const isPickle = entry.name.endsWith("/data.pkl");
    entries.push({ name: entry.name, body: isPickle ? mutated(body, random, donor) : body });
  }
  return zip(entries);
}

/** A zip as torch.save writes it, whose checksums are right whatever its pickle says. */
function weights(pickle: Uint8Array): Uint8Array {
  const items = Array.from({ length: 20 }, (_, key) => ({
    name: `a/data/${key}`,
    body: new Uint8Array(16),
  }));
  return zip([{ name: "a/data.pkl", body: pickle }, ...items]);
}

async function readZip(bytes: Uint8Array): Promise<void> {
  const source = memorySource(bytes);
  for (const entry of await readZipDirectory(source)) {
    for await (const _ of zipEntryChunks(source, entry));
  }
}

/** Damages a tar and, in half of the files, makes the checksums of its headers right again. */
function mutatedTar(bytes: Uint8Array, random: Random, donor: Uint8Array): Uint8Array {
  const changed = mutated(bytes, random, donor);
  if (random.integer(2) === 0) return changed;
  for (let at = 0; at + 512 <= changed.length; at += 512) {
    const header = changed.subarray(at, at + 512);
    if (String.fromCharCode(...header.subarray(257, 262)) !== "ustar") continue;
    header.fill(0x20, 148, 156);
    const sum = header.reduce((a, b) => a + b, 0);
    header.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  }
  return changed;
}

async function readTar(bytes: Uint8Array): Promise<void> {
  for await (const { body } of tarEntries(ReadableStream.from([bytes]))) {
    for await (const _ of body);
  }
}

async function readGraph(bytes: Uint8Array): Promise<void> {
  const graph = readOnnx(bytes);
  for (const name of new Set([...graph.producers.values()].flatMap(({ inputs }) => inputs))) {
    if (graph.isConstant(name)) await graph.constant(name, `${fixtures}models/onnx`).catch(ignore);
  }

  /** A constant may hold other numbers than floats. */
  function ignore(error: Error): void {
    if (!/holds no 32-bit floats/.test(error.message)) throw error;
  }
}

function readTable(bytes: Uint8Array): void {
  parseTable(new TextDecoder().decode(bytes), { path: "label.csv", columns: ["number", "name"] });
}

/** Damages an image and, in half of the PNGs, makes the checksums of its chunks right again. */
function mutatedImage(bytes: Uint8Array, random: Random, donor: Uint8Array): Uint8Array {
  const changed = mutated(bytes, random, donor);
  if (random.integer(2) === 0 || changed[0] !== 0x89) return changed;
  const view = new DataView(changed.buffer, changed.byteOffset, changed.byteLength);
  for (let at = 8; at + 12 <= changed.length;) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > changed.length) break;
    view.setUint32(end, crc32(changed.subarray(at + 4, end)));
    at = end + 4;
  }
  return joined(changed);
}
