import { crc32, deflateSync } from "node:zlib";
import { parseTable } from "../../lib/datasets/_table_file.ts";
import { memorySource, readZipDirectory, tarEntries } from "../../lib/files/mod.ts";
import { decodeImage } from "../../lib/images/mod.ts";
import { readPth } from "../../lib/models/weights/mod.ts";
import { readOnnx } from "../../lib/onnx/mod.ts";
import { readSafetensors } from "../../lib/tensor/mod.ts";
import { zip } from "../files/_zip_files.ts";
import { joined } from "./_mutations.ts";

/** A small file that would cost a careless reader much time, memory or stack. */
export interface Bomb {
  readonly name: string;
  readonly read: () => unknown;
}

const MEBIBYTE = 1 << 20;
/** A quarter of what may be read at all; time and memory are linear in it. */
const PICKLE = MEBIBYTE - 8;

/** The worst that was found for each reader. */
export const bombs: readonly Bomb[] = [
  // Containers worth their bytes, and ones that are not.
  ...["}NNNNN", "]NNN", "N\x85q\x01", "(", "N", "}", "]", "\x85"].map((code) => ({
    name: `a pickle of ${JSON.stringify(code)}`,
    read: () => readPth(pickled(`N${code.repeat(PICKLE / code.length)}`)),
  })),
  {
    name: "a pickle that calls OrderedDict with one list again and again",
    read: () => readPth(pickled(`${pairs(1000)}${"h\x01h\x02\x85R".repeat(100_000)}`)),
  },
  {
    name: "a checkpoint of ninety thousand dicts",
    read: () => {
      const entries = Array.from({ length: 90_000 }, (_, i) => `X\x06\0\0\0${100_000 + i}}`);
      return readPth(pickled(`}(${entries.join("")}u`));
    },
  },
  {
    name: "a header of brackets",
    read: () => readSafetensors(headed("[".repeat(4 * MEBIBYTE - 8))),
  },
  {
    name: "a header of empty objects",
    read: () => readSafetensors(headed(`{"a":{${members(200_000, "{}")}}}`)),
  },
  {
    name: "a header of empty tensors",
    read: () =>
      readSafetensors(
        headed(`{${members(60_000, '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}')}}`),
      ),
  },
  {
    name: "a header of one name that is never closed",
    read: () => readSafetensors(headed(`{"${'\\"'.repeat(2 * MEBIBYTE - 8)}`)),
  },
  {
    name: "a zip of sixty thousand entries",
    read: () =>
      readZipDirectory(memorySource(zip(Array.from({ length: 60_000 }, (_, i) => ({
        name: `${i}`,
        body: new Uint8Array(),
      }))))),
  },
  { name: "a tar of fifty thousand links", read: () => entriesOf(tarOf("2", 50_000)) },
  { name: "a tar of long names", read: () => entriesOf(tarOf("L", 20_000)) },
  {
    name: "a graph of a hundred thousand empty nodes",
    read: () => readOnnx(graphOf(latin1("\x0a\0".repeat(100_000)))),
  },
  {
    name: "a table of quotes",
    read: () => parseTable('"'.repeat(2 * MEBIBYTE + 1), { path: "t.csv", columns: [] }),
  },
  { name: "a PNG of 4,000 megapixels", read: () => decodeImage(png(65_000, 65_000), "a PNG") },
  { name: "a PNG of 25 megapixels", read: () => decodeImage(png(5_000, 5_000), "a PNG") },
];

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function pickled(instructions: string): Uint8Array {
  return zip([{ name: "a/data.pkl", body: latin1(`\x80\x02${instructions}.`) }]);
}

/** Memo 1: OrderedDict, memo 2: a list of pairs. */
function pairs(count: number): string {
  const pair = (i: number) => `M${String.fromCharCode(i & 255, i >> 8)}N\x86`;
  const list = Array.from({ length: count }, (_, i) => pair(i)).join("");
  return `ccollections\nOrderedDict\nq\x01](${list}eq\x02`;
}

function headed(json: string): Uint8Array {
  const header = latin1(json);
  return joined(new Uint8Array(BigUint64Array.of(BigInt(header.length)).buffer), header);
}

function members(count: number, value: string): string {
  return Array.from({ length: count }, (_, i) => `"${i}":${value}`).join(",");
}

function tarOf(type: string, count: number): Uint8Array {
  const header = new Uint8Array(512);
  header.set(latin1(`${type}\0`), 156);
  header.set(latin1("ustar\x0000"), 257);
  header.set(latin1("00000000000\0"), 124);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((a, b) => a + b, 0);
  header.set(latin1(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return joined(...Array<Uint8Array>(count).fill(header));
}

async function entriesOf(bytes: Uint8Array): Promise<void> {
  for await (const _ of tarEntries(ReadableStream.from([bytes])));
}

/** A model of this graph. */
function graphOf(graph: Uint8Array): Uint8Array {
  const length: number[] = [];
  for (let rest = graph.length; rest > 0; rest = Math.floor(rest / 128)) {
    length.push(rest % 128 + (rest >= 128 ? 128 : 0));
  }
  return joined(Uint8Array.of(0x3a, ...length), graph);
}

/** A PNG of zeros; of one that is too large, a few rows will do. */
function png(width: number, height: number): Uint8Array {
  const size = new DataView(new ArrayBuffer(8));
  size.setUint32(0, width);
  size.setUint32(4, height);
  const header = joined(new Uint8Array(size.buffer), Uint8Array.of(8, 0, 0, 0, 0));
  const written = height > 9_000 ? 8 : height;
  const rows = deflateSync(new Uint8Array(written * (width + 1)), { level: 1 });
  return joined(
    latin1("\x89PNG\r\n\x1a\n"),
    chunk("IHDR", header),
    chunk("IDAT", rows),
    chunk("IEND", new Uint8Array()),
  );
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = joined(latin1(type), data);
  const number = new DataView(new ArrayBuffer(8));
  number.setUint32(0, data.length);
  number.setUint32(4, crc32(body));
  return joined(new Uint8Array(number.buffer, 0, 4), body, new Uint8Array(number.buffer, 4, 4));
}
