/** A connected ZeroMQ socket that sends and receives messages of several frames. */
export interface ZmtpSocket {
  send(frames: readonly Uint8Array[]): Promise<void>;
  /** The next message; rejects when the peer or `close` ended the connection. */
  receive(): Promise<Uint8Array[]>;
  close(): void;
}

const MORE = 1;
const LONG = 2;
const COMMAND = 4;
/** Larger than any message of a notebook; a bound against a peer that claims anything. */
const longestFrame = 2 ** 28;

/**
 * Connects to a ZeroMQ socket by ZMTP 3.0 with the NULL mechanism (https://rfc.zeromq.org/spec/23/),
 * all that talking to a Jupyter kernel takes. The native packages crash Deno now and then.
 *
 * @throws {TypeError} when the peer does not speak ZMTP 3.
 */
export async function connectZmtp(
  type: "DEALER" | "SUB",
  address: Deno.ConnectOptions,
): Promise<ZmtpSocket> {
  const connection = await Deno.connect(address);
  const read = bufferedReader(connection);
  try {
    await writeAll(connection, greeting());
    await checkGreeting(await read(64));
    await writeAll(connection, frame(readyCommand(type), COMMAND));
    await readFrame(read);
    // A subscription to every topic: a message of the byte 1 and an empty prefix.
    if (type === "SUB") await writeAll(connection, frame(Uint8Array.of(1), 0));
  } catch (error) {
    connection.close();
    throw error;
  }
  let sent = Promise.resolve();
  return {
    send: (frames) => {
      const bytes = frames.map((body, i) => frame(body, i < frames.length - 1 ? MORE : 0));
      sent = sent.then(async () => {
        for (const part of bytes) await writeAll(connection, part);
      });
      return sent;
    },
    receive: async () => {
      const frames: Uint8Array[] = [];
      for (;;) {
        const { flags, body } = await readFrame(read);
        if (flags & COMMAND) continue;
        frames.push(body);
        if (!(flags & MORE)) return frames;
      }
    },
    close: () => connection.close(),
  };
}

/** Signature, version 3.0, mechanism NULL, not a server: 64 bytes. */
function greeting(): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes[0] = 0xff;
  bytes[9] = 0x7f;
  bytes[10] = 3;
  bytes.set(new TextEncoder().encode("NULL"), 12);
  return bytes;
}

function checkGreeting(bytes: Uint8Array): void {
  const mechanism = new TextDecoder().decode(bytes.subarray(12, 32)).replaceAll("\0", "");
  if (bytes[0] !== 0xff || bytes[9] !== 0x7f || bytes[10]! < 3 || mechanism !== "NULL") {
    throw new TypeError("The kernel's port does not speak ZMTP 3 with the NULL mechanism.");
  }
}

/** The command READY with one property, the type of this socket. */
function readyCommand(type: string): Uint8Array {
  const text = (value: string) => [value.length, ...new TextEncoder().encode(value)];
  return Uint8Array.from([...text("READY"), ...text("Socket-Type"), 0, 0, 0, ...text(type)]);
}

function frame(body: Uint8Array, flags: number): Uint8Array {
  const long = body.length > 255;
  const bytes = new Uint8Array((long ? 9 : 2) + body.length);
  bytes[0] = flags | (long ? LONG : 0);
  if (long) new DataView(bytes.buffer).setBigUint64(1, BigInt(body.length));
  else bytes[1] = body.length;
  bytes.set(body, bytes.length - body.length);
  return bytes;
}

type Read = (count: number) => Promise<Uint8Array>;

async function readFrame(read: Read): Promise<{ flags: number; body: Uint8Array }> {
  const flags = (await read(1))[0]!;
  const size = await read(flags & LONG ? 8 : 1);
  const length = size.reduce((total, byte) => total * 256 + byte, 0);
  if (length > longestFrame) throw new TypeError(`A ZeroMQ frame that claims ${length} bytes.`);
  return { flags, body: await read(length) };
}

/** Reads exactly as many bytes as asked for, however the stream is cut. */
function bufferedReader(connection: Deno.Conn): Read {
  let rest = new Uint8Array(0);
  const chunk = new Uint8Array(65536);
  return async (count) => {
    const parts = [rest];
    let length = rest.length;
    while (length < count) {
      const got = await connection.read(chunk);
      if (got === null) throw new Deno.errors.UnexpectedEof("The kernel closed its connection.");
      parts.push(chunk.slice(0, got));
      length += got;
    }
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    rest = bytes.slice(count);
    return bytes.slice(0, count);
  };
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await connection.write(bytes.subarray(done));
}
