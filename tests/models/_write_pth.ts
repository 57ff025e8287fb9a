import { Buffer } from "node:buffer";
import type { Tensor } from "../../lib/tensor/mod.ts";
import { storedZip } from "../sources/_zip.ts";

/**
 * The bytes of a state dict as `torch.save` writes it: a zip of `archive/data.pkl`, which names
 * tensors over storages, and the storages, float32 in this machine's order.
 */
export function writePth(tensors: ReadonlyMap<string, Tensor>): Uint8Array {
  const storages: Record<string, Uint8Array> = {};
  const entries = [...tensors].map(([key, { shape, data }], index) => {
    storages[`archive/data/${index}`] = new Uint8Array(
      data.buffer,
      data.byteOffset,
      data.byteLength,
    );
    return Buffer.concat([text(key), tensorOf(`${index}`, shape)]);
  });
  const pickle = Buffer.concat([
    latin1(`\x80\x02${emptyDict}(`),
    ...entries,
    latin1("u."),
  ]);
  return storedZip({
    "archive/data.pkl": pickle,
    ...storages,
    "archive/version": new TextEncoder().encode("3\n"),
  });
}

const emptyDict = "ccollections\nOrderedDict\n)R";

/** A contiguous tensor over a whole storage. */
function tensorOf(storage: string, shape: readonly number[]): Uint8Array {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const strides = shape.map((_, axis) =>
    shape.slice(axis + 1).reduce((product, extent) => product * extent, 1)
  );
  return Buffer.concat([
    latin1("ctorch._utils\n_rebuild_tensor_v2\n(("),
    text("storage"),
    latin1("ctorch\nFloatStorage\n"),
    text(storage),
    text("cpu"),
    integer(size),
    latin1("tQ"),
    integer(0),
    ...tuple(shape),
    ...tuple(strides),
    latin1(`\x89${emptyDict}tR`),
  ]);
}

function tuple(numbers: readonly number[]): Uint8Array[] {
  return [latin1("("), ...numbers.map(integer), latin1("t")];
}

function integer(value: number): Uint8Array {
  const bytes = Buffer.alloc(5);
  bytes.write("J", 0, "latin1");
  bytes.writeInt32LE(value, 1);
  return bytes;
}

function text(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  const length = Buffer.alloc(5);
  length.write("X", 0, "latin1");
  length.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([length, bytes]);
}

function latin1(codes: string): Uint8Array {
  return Buffer.from(codes, "latin1");
}
