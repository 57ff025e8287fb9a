import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";

/** A zip that holds files by their paths, stored as they are. */
export function storedZip(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const entries: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [path, body] of Object.entries(files)) {
    const name = new TextEncoder().encode(path);
    // Both headers state checksum, sizes and the length of the name in this order.
    const header = (signature: number, length: number, facts: number) => {
      const view = new DataView(new ArrayBuffer(length));
      view.setUint32(0, signature, true);
      view.setUint32(facts, crc32(body), true);
      view.setUint32(facts + 4, body.length, true);
      view.setUint32(facts + 8, body.length, true);
      view.setUint16(facts + 12, name.length, true);
      return view;
    };
    const local = header(0x04034b50, 30, 14);
    const central = header(0x02014b50, 46, 16);
    central.setUint32(42, at, true);
    entries.push(new Uint8Array(local.buffer), name, body);
    directory.push(new Uint8Array(central.buffer), name);
    at += 30 + name.length + body.length;
  }
  const packed = Buffer.concat(directory);
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, entries.length / 3, true);
  end.setUint16(10, entries.length / 3, true);
  end.setUint32(12, packed.length, true);
  end.setUint32(16, at, true);
  return new Uint8Array(Buffer.concat([...entries, packed, new Uint8Array(end.buffer)]));
}
