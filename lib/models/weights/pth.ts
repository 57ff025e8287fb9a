import { memorySource, readZipDirectory, readZipEntry, type ZipEntry } from "../../files/mod.ts";
import type { Tensor } from "../../tensor/mod.ts";
import { readLegacyPth } from "./_legacy_pth.ts";
import { materialise } from "./_materialise.ts";
import { unpickle } from "./_pickle.ts";
import { stateDict, type StorageRef, torchRules } from "./_torch_pickle.ts";
import { readTarPth } from "./_tar_pth.ts";

/** Float32 weights hardly compress; a zip that claims to unpack to more is a bomb. */
const MAX_EXPANSION = 20;

/**
 * Reads the state dict of a `.pth` file in any of the formats that torch.save has had: zip, the one
 * with a magic number, and tar. Float32, float16, bfloat16 and int64 become float32. Nothing of
 * the file is executed: pickle opcodes and globals are allowed by name, all else is an error.
 *
 * @throws {Error} naming what is malformed or not allowed, in time and memory linear in the file.
 */
export function readPth(bytes: Uint8Array): Promise<ReadonlyMap<string, Tensor>> {
  if (isZip(bytes)) return readZipPth(bytes);
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
  if (entry === undefined || more.length > 0 || !entry.name.endsWith(".pth")) {
    throw new Error(`it holds ${1 + more.length} files, not one .pth file.`);
  }
  if (entry.size > MAX_EXPANSION * bytes.length) {
    throw new Error(`"${entry.name}" claims ${entry.size} bytes, ${bytes.length} are packed.`);
  }
  return await readZipEntry(source, entry);
}

/** A zip with data.pkl, the state dict, and data/<key>, the items of each storage. */
async function readZipPth(bytes: Uint8Array): Promise<ReadonlyMap<string, Tensor>> {
  const source = memorySource(bytes);
  const entries = await readZipDirectory(source);
  const packed = entries.find(({ method }) => method !== "stored");
  if (packed !== undefined) throw new Error(`"${packed.name}" is packed; torch.save only stores.`);
  const pickle = entries.find(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickle === undefined) throw new Error("it is a zip without data.pkl.");
  const folder = pickle.name.slice(0, -"data.pkl".length);
  const stray = entries.find(({ name }) => !name.startsWith(folder) || /\.\.|\\/.test(name));
  if (stray !== undefined) throw new Error(`"${stray.name}" lies outside of its folder ${folder}.`);
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  await requireLittleEndian(byName.get(`${folder}byteorder`));

  const storages = new Map<string, StorageRef>();
  const rules = torchRules(storages);
  const { value, end } = unpickle(await readZipEntry(source, pickle), { start: 0, rules });
  if (end !== pickle.size) throw new Error(`${pickle.size - end} bytes follow its state dict.`);
  const tensors = stateDict(value);
  const items = [];
  for (const ref of storages.values()) {
    const entry = byName.get(`${folder}data/${ref.key}`);
    if (entry === undefined) throw new Error(`its storage "${ref.key}" is missing.`);
    items.push({ ref, bytes: await readZipEntry(source, entry) });
  }
  return materialise(tensors, items);

  async function requireLittleEndian(entry: ZipEntry | undefined): Promise<void> {
    // Files before PyTorch 2.1 do not state it; they are little-endian.
    if (entry === undefined) return;
    if (entry.size > 16) throw new Error(`"${entry.name}" has ${entry.size} bytes.`);
    const order = new TextDecoder().decode(await readZipEntry(source, entry));
    if (order !== "little") throw new Error(`its byte order is "${order}", not "little".`);
  }
}

function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
}
