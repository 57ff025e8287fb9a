import {
  memorySource,
  quote,
  readZipDirectory,
  readZipEntry,
  type ZipEntry,
} from "../../files/mod.ts";
import type { Tensor } from "../../tensor/mod.ts";
import { readLegacyPth } from "./_legacy_pth.ts";
import { materialise } from "./_materialise.ts";
import { unpickle } from "./_pickle.ts";
import { findStateDict } from "./_state_dict.ts";
import { readTarPth } from "./_tar_pth.ts";
import { type StorageRef, torchRules } from "./_torch_pickle.ts";

/** The tensors of a model by their names, as a weights file holds them. */
export interface StateDict {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** What was chosen of the file and what of it was left out, one clause each. */
  readonly remarks: readonly string[];
}

/** Float32 weights hardly compress; a zip that claims to unpack to more is a bomb. */
const MAX_EXPANSION = 20;

/**
 * Reads the state dict of a file in any of the formats that torch.save has had: zip, the one with a
 * magic number, and tar. It may be an entry of a checkpoint, which `remarks` then say. Numbers become
 * float32 as {@linkcode toFloat32} says. Nothing of the file is executed: pickle opcodes are allowed by
 * name, and so are the functions that rebuild a tensor; what anything else would make is left out, or
 * is an error where it stands for a tensor.
 *
 * @param options.only names the tensors that are wanted; of a zip, the others' storages are not read.
 * @throws {Error} naming what is malformed or not allowed, in time and memory linear in the file.
 */
export function readPth(
  bytes: Uint8Array,
  options: { readonly only?: ((name: string) => boolean) | undefined } = {},
): Promise<StateDict> {
  if (isZip(bytes)) return readZipPth(bytes, options);
  const isTar = new TextDecoder("latin1").decode(bytes.subarray(257, 262)) === "ustar";
  return isTar ? readTarPth(bytes) : Promise.resolve(bytes).then(readLegacyPth);
}

/**
 * Unpacks the one `.pth` file of a `.pth.zip`, as pytorchcv ships its weights.
 *
 * @throws {Error} when the zip holds anything else.
 */
export async function unzipPth(bytes: Uint8Array): Promise<Uint8Array> {
  const source = memorySource(bytes);
  const [entry, ...more] = await readZipDirectory(source);
  if (entry === undefined || more.length > 0 || !/\.(pth|pt|th|ckpt|bin)$/.test(entry.name)) {
    throw new Error(`it holds ${entry ? 1 + more.length : 0} files, not one .pth file.`);
  }
  if (entry.size > MAX_EXPANSION * bytes.length) {
    throw new Error(`${quote(entry.name)} claims ${entry.size} bytes, ${bytes.length} are packed.`);
  }
  return await readZipEntry(source, entry);
}

/** A zip with data.pkl, the state dict, and data/<key>, the items of each storage. */
async function readZipPth(
  bytes: Uint8Array,
  { only = () => true }: { readonly only?: ((name: string) => boolean) | undefined },
): Promise<StateDict> {
  const source = memorySource(bytes);
  const entries = await readZipDirectory(source);
  const packed = entries.find(({ method }) => method !== "stored");
  if (packed !== undefined) {
    throw new Error(`${quote(packed.name)} is packed; torch.save only stores.`);
  }
  const pickle = entries.find(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickle === undefined) throw new Error("it is a zip without data.pkl.");
  const folder = pickle.name.slice(0, -"data.pkl".length);
  const stray = entries.find(({ name }) => !name.startsWith(folder) || /\.\.|\\/.test(name));
  if (stray !== undefined) {
    throw new Error(`${quote(stray.name)} lies outside of its folder ${quote(folder)}.`);
  }
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  await requireLittleEndian(byName.get(`${folder}byteorder`));

  const storages = new Map<string, StorageRef>();
  const rules = torchRules(storages);
  const { value, end } = unpickle(await readZipEntry(source, pickle), { start: 0, rules });
  if (end !== pickle.size) throw new Error(`${pickle.size - end} bytes follow its state dict.`);
  const { tensors: all, remarks } = findStateDict(value);
  const tensors = new Map([...all].filter(([name]) => only(name)));
  const items = [];
  const used = new Set(tensors.values().map(({ storage }) => storage.key));
  for (const ref of storages.values()) {
    if (!used.has(ref.key)) continue;
    const entry = byName.get(`${folder}data/${ref.key}`);
    if (entry === undefined) throw new Error(`its storage ${quote(ref.key)} is missing.`);
    items.push({ ref, bytes: await readZipEntry(source, entry) });
  }
  return { tensors: materialise(tensors, items), remarks };

  async function requireLittleEndian(entry: ZipEntry | undefined): Promise<void> {
    // Files before PyTorch 2.1 do not state it; they are little-endian.
    if (entry === undefined) return;
    if (entry.size > 16) throw new Error(`${quote(entry.name)} has ${entry.size} bytes.`);
    const order = new TextDecoder().decode(await readZipEntry(source, entry));
    if (order !== "little") throw new Error(`its byte order is ${quote(order)}, not "little".`);
  }
}

function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
}
