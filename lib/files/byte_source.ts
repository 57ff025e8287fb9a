/** Bytes that can be read at any place: a file, or memory. */
export interface ByteSource {
  readonly size: number;
  /**
   * The `length` bytes at `offset`; in memory a view, not a copy.
   *
   * @throws {RangeError} when the source does not reach so far.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A source in memory. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read(offset, length) {
      requireWithin(bytes.length, { offset, length });
      return Promise.resolve(bytes.subarray(offset, offset + length));
    },
  };
}

/** An open file; the caller closes it. Reads must not overlap in time. */
export async function fileSource(file: Deno.FsFile): Promise<ByteSource> {
  const { size } = await file.stat();
  return {
    size,
    async read(offset, length) {
      requireWithin(size, { offset, length });
      await file.seek(offset, Deno.SeekMode.Start);
      const bytes = new Uint8Array(length);
      for (let filled = 0; filled < length;) {
        const count = await file.read(bytes.subarray(filled));
        if (count === null) throw new RangeError(`The file ended before byte ${offset + length}.`);
        filled += count;
      }
      return bytes;
    },
  };
}

function requireWithin(
  size: number,
  { offset, length }: { readonly offset: number; readonly length: number },
): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= size)) {
    throw new RangeError(`Bytes ${offset} to ${offset + length} of ${size} were asked for.`);
  }
}
