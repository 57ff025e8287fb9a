import { UserError } from "../files/mod.ts";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { readTextFile } from "./_table_file.ts";
import { type RgbImage, UnreadableImageError } from "../images/mod.ts";
import { idAt, type LabelledImages } from "../images/mod.ts";

const side = 32;
const plane = side * side;
/** A coarse label byte, a fine label byte, then the red, green and blue plane. */
const recordBytes = 2 + 3 * plane;

/**
 * Opens a split of CIFAR-100's binary version (Krizhevsky 2009): train.bin or test.bin and
 * fine_label_names.txt below `root`. Ids are `<split>/<record>`, counted from 0; the bytes of an
 * image are its 3072 pixel bytes. The fine labels are read, the pixels are not.
 *
 * @throws {UserError} when a file is missing, is no whole number of records, or a label has no name.
 */
export async function readCifar100(root: string, split: "train" | "test"): Promise<LabelledImages> {
  const names = (await readTextFile(root, { file: "fine_label_names.txt", dataset: "CIFAR-100" }))
    .split(/\r?\n/).filter((name) => name !== "");
  const path = join(root, `${split}.bin`);
  const labels = await readLabels(path);
  const unnamed = labels.findIndex((label) => label >= names.length);
  if (unnamed >= 0) {
    throw new UserError(
      `Cannot open CIFAR-100: record ${unnamed} of ${path} has the fine label ${
        labels[unnamed]
      }, ` +
        `fine_label_names.txt has ${names.length} names. Restore both from the original archive.`,
    );
  }
  const name = `cifar100/${split}`;
  const digits = String(Math.max(labels.length - 1, 0)).length;
  const ids = Array.from(labels, (_, i) => `${split}/${String(i).padStart(digits, "0")}`);
  return {
    images: {
      name,
      ids,
      read: async (index) => {
        const id = idAt(name, ids, index);
        return await withFile(
          path,
          (file) => readAt(file, { id, position: index * recordBytes + 2 }),
        );
      },
      decode: (bytes, id) => Promise.resolve(interleave(bytes, id)),
    },
    classes: names.map((id) => ({ id, name: id.replaceAll("_", " ") })),
    labels,
  };
}

async function withFile<T>(path: string, action: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path).catch((cause) => {
    throw new UserError(
      `Cannot open CIFAR-100: there is no ${path}. Give the folder cifar-100-binary of the binary ` +
        `version's archive.`,
      { cause },
    );
  });
  try {
    return await action(file);
  } finally {
    await file.close();
  }
}

async function readAt(
  file: FileHandle,
  { id, position }: { readonly id: string; readonly position: number },
): Promise<Uint8Array> {
  const bytes = new Uint8Array(3 * plane);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, position);
  if (bytesRead < bytes.length) throw new UnreadableImageError(id, "the file ends in its record");
  return bytes;
}

/** The fine label of every record; the file is read in blocks of records. */
async function readLabels(path: string): Promise<Int32Array> {
  return await withFile(path, async (file) => {
    const { size } = await file.stat();
    if (size === 0 || size % recordBytes !== 0) {
      throw new UserError(
        `Cannot open CIFAR-100: ${path} has ${size} bytes, which is no whole number of records of ` +
          `${recordBytes} bytes. Restore it from the binary version's archive.`,
      );
    }
    const labels = new Int32Array(size / recordBytes);
    const block = new Uint8Array(512 * recordBytes);
    for (let first = 0; first < labels.length; first += 512) {
      await file.read(block, 0, block.length, first * recordBytes);
      const count = Math.min(512, labels.length - first);
      for (let i = 0; i < count; i++) labels[first + i] = block[i * recordBytes + 1]!;
    }
    return labels;
  });
}

/** Three planes to pixels. */
function interleave(bytes: Uint8Array, id: string): RgbImage {
  if (bytes.length !== 3 * plane) {
    throw new UnreadableImageError(
      id,
      `a record has ${3 * plane} pixel bytes, not ${bytes.length}`,
    );
  }
  const data = new Uint8Array(3 * plane);
  for (let pixel = 0; pixel < plane; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      data[pixel * 3 + channel] = bytes[channel * plane + pixel]!;
    }
  }
  return { width: side, height: side, data };
}
