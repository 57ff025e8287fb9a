import { crc32, deflateRawSync } from "node:zlib";

/** An entry of a zip file whose fields may lie; what is left out is true. */
export interface ZipFields {
  name: string;
  body: Uint8Array;
  method?: number;
  flags?: number;
  size?: number;
  compressed?: number;
  crc?: number;
  offset?: number;
  attributes?: number;
  localName?: string;
}

/** Writes a zip of the entries. */
export function zip(entries: ZipFields[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const entry of entries) {
    const { name, body, method = 0, flags = 0, attributes = 0 } = entry;
    const packed = method === 8 ? deflateRawSync(body) : body;
    const encoded = new TextEncoder().encode(name);
    const local = new TextEncoder().encode(entry.localName ?? name);
    const header = new DataView(new ArrayBuffer(30));
    header.setUint32(0, 0x04034b50, true);
    header.setUint16(26, local.length, true);
    parts.push(new Uint8Array(header.buffer), local, packed);
    const central = new DataView(new ArrayBuffer(46));
    central.setUint32(0, 0x02014b50, true);
    central.setUint8(5, 3);
    central.setUint16(8, flags, true);
    central.setUint16(10, method, true);
    central.setUint32(16, entry.crc ?? crc32(body), true);
    central.setUint32(20, entry.compressed ?? packed.length, true);
    central.setUint32(24, entry.size ?? body.length, true);
    central.setUint16(28, encoded.length, true);
    central.setUint32(38, attributes * 65536, true);
    central.setUint32(42, entry.offset ?? at, true);
    directory.push(new Uint8Array(central.buffer), encoded);
    at += 30 + local.length + packed.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, entries.length, true);
  end.setUint16(10, entries.length, true);
  end.setUint32(12, size, true);
  end.setUint32(16, at, true);
  return concatenated([...parts, ...directory, new Uint8Array(end.buffer)]);
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
