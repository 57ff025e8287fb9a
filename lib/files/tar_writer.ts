/** What {@linkcode tarBytes} writes as one file. */
export interface TarFile {
  /** The path in the archive, with "/" between the names. */
  readonly name: string;
  /** Bytes of the body. */
  readonly size: number;
  readonly body: AsyncIterable<Uint8Array>;
}

const BLOCK = 512;
/** Longer names go into a PAX header. */
const NAME_BYTES = 100;
/** The largest size that eleven octal digits hold. */
const OCTAL_LIMIT = 8 ** 11;

/**
 * The bytes of a tar archive (ustar; PAX headers for long names and sizes) of regular files, one
 * after the other. Times and owners are zero, so equal files make equal archives.
 *
 * @throws {RangeError} when a body is not as long as its size says.
 */
export async function* tarBytes(files: AsyncIterable<TarFile>): AsyncGenerator<Uint8Array> {
  for await (const { name, size, body } of files) {
    const bytes = new TextEncoder().encode(name);
    const isLong = bytes.length > NAME_BYTES || size >= OCTAL_LIMIT;
    if (isLong) {
      const records = concat([paxRecord("path", name), paxRecord("size", String(size))]);
      yield header({ name: new TextEncoder().encode("pax"), size: records.length, type: "x" });
      yield padded(records);
    }
    yield header({
      name: bytes.subarray(0, NAME_BYTES),
      size: size < OCTAL_LIMIT ? size : 0,
      type: "0",
    });
    let written = 0;
    for await (const piece of body) {
      written += piece.length;
      yield piece;
    }
    if (written !== size) {
      throw new RangeError(`Writing ${name} to an archive: ${written} bytes came, not ${size}.`);
    }
    yield new Uint8Array((BLOCK - size % BLOCK) % BLOCK);
  }
  yield new Uint8Array(2 * BLOCK);
}

function header(
  { name, size, type }: {
    readonly name: Uint8Array;
    readonly size: number;
    readonly type: "0" | "x";
  },
): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (text: string, at: number) => block.set(new TextEncoder().encode(text), at);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  block.set(name);
  put(octal(0o644, 7), 100);
  put(octal(0, 7), 108);
  put(octal(0, 7), 116);
  put(octal(size, 11), 124);
  put(octal(0, 11), 136);
  put(" ".repeat(8), 148);
  put(type, 156);
  put("ustar\x0000", 257);
  put(`${octal(block.reduce((sum, byte) => sum + byte, 0), 6)}\0 `, 148);
  return block;
}

/** "LENGTH KEY=VALUE\n", where the length counts its own digits. */
function paxRecord(key: string, value: string): Uint8Array {
  const rest = new TextEncoder().encode(` ${key}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) {
    length = String(length).length + rest.length;
  }
  return concat([new TextEncoder().encode(String(length)), rest]);
}

function padded(bytes: Uint8Array): Uint8Array {
  const blocks = new Uint8Array(Math.ceil(bytes.length / BLOCK) * BLOCK);
  blocks.set(bytes);
  return blocks;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
